package main

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/report"
)

// A report that is written to a device or a pipe must not replace it: root
// would lose /dev/null.
func TestReportToAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan int, 1)
	go func() {
		f, err := os.Open(pipe)
		if err != nil {
			read <- -1
			return
		}
		defer f.Close()
		b, _ := io.ReadAll(f)
		read <- len(b)
	}()
	if err := writeReport(io.Discard, pipe, "json", &pratique.Report{}, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if n := <-read; n <= 0 {
		t.Errorf("%d bytes came through the pipe", n)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe was replaced: %v, %v", info, err)
	}
}

func TestReportToAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report.json")
	for range 2 { // also over an older one
		if err := writeReport(io.Discard, name, "json", &pratique.Report{}, report.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("in the folder: %v, %v", left, err)
	}
	err = writeReport(io.Discard, filepath.Join(t.TempDir(), "no", "folder"), "json", &pratique.Report{}, report.Options{})
	if pratique.CodeOf(err) != pratique.CodeDisk {
		t.Errorf("into no folder: %v", err)
	}
}

// A gate whose variable is not set must not let everything pass.
func TestEmptyGate(t *testing.T) {
	for _, gate := range []string{"", ","} {
		cmd := newCommand(time.Now())
		cmd.SetArgs([]string{"scan", t.TempDir(), "--fail-on", gate})
		if err := cmd.Execute(); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("--fail-on %q: %v", gate, err)
		}
	}
}
