// Package clamdtest runs a ClamAV daemon of its own for a test: with signatures
// that the test writes, on a socket of its own, without freshclam and without a
// network.
package clamdtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Daemon is a running clamd.
type Daemon struct {
	Socket string
	cmd    *exec.Cmd
}

// Start runs clamd with signatures: files of a database by name, such as
// "ours.ndb". settings are further lines of clamd.conf. The daemon ends with the
// test, or when Stop is called.
func Start(t testing.TB, signatures map[string]string, settings ...string) *Daemon {
	t.Helper()
	program, err := exec.LookPath("clamd")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/clamd"); err != nil {
			t.Fatal("clamd is missing: make deps installs clamav-daemon")
		}
		program = "/usr/sbin/clamd"
	}
	dir, err := os.MkdirTemp("", "clamd-") // t.TempDir's paths are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, text := range signatures {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d := &Daemon{Socket: filepath.Join(dir, "socket")}
	conf := append([]string{"Foreground yes", "LocalSocket " + d.Socket, "DatabaseDirectory " + dir, "LogFile " + filepath.Join(dir, "log"), "SelfCheck 3600", "ScanArchive no"}, settings...)
	file := filepath.Join(dir, "clamd.conf")
	if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d.cmd = exec.Command(program, "--config-file", file)
	var out strings.Builder
	d.cmd.Stdout, d.cmd.Stderr = &out, &out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("unix", d.Socket)
		if err == nil {
			conn.Close()
			return d
		}
		if time.Since(begin) > 30*time.Second {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			d.Stop()
			t.Fatalf("clamd does not come up: %v\n%s%s", err, out.String(), log)
		}
	}
}

// Stop ends the daemon.
func (d *Daemon) Stop() {
	if d.cmd != nil {
		d.cmd.Process.Kill()
		d.cmd.Wait()
		d.cmd = nil
	}
}

// Signature is a line of an ndb database: the name for whatever file holds text.
func Signature(name, text string) string {
	return fmt.Sprintf("%s:0:*:%x\n", name, text)
}
