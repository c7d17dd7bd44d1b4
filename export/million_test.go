package export

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/store"
)

// A process of its own writes one export, so that what it takes of memory is the
// export's alone.
const childEnv = "EXPORT_CHILD"

func TestMain(m *testing.M) {
	if order := os.Getenv(childEnv); order != "" {
		if err := child(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(pgtest.Run(m))
}

// childReport is what the process tells.
type childReport struct {
	Rows    int
	Bytes   int64
	File    string
	Seconds float64
	MiB     int // the most that it had in memory at once

	core time.Duration // of computing
}

// child writes an export of all findings; order is the database, the folder and
// the format.
func child(order string) error {
	parts := strings.Split(order, "|")
	ctx := context.Background()
	s, err := store.Open(ctx, parts[0], nil)
	if err != nil {
		return err
	}
	defer s.Close()
	nobody := func(context.Context, int64) error { return nil }
	k := &Keeper{Rows: s, Source: s, Folder: parts[1], Enqueue: nobody, Cancel: nobody}
	v, err := k.Create(ctx, pratique.ExportRequest{Kind: "findings", Format: parts[2]}, "tester")
	if err != nil {
		return err
	}
	began := time.Now()
	if err := k.Run(ctx, v.ID, v.ID); err != nil {
		return err
	}
	if v, err = s.Export(ctx, v.ID); err != nil {
		return err
	}
	if v.State != pratique.ExportSuccess {
		return fmt.Errorf("the export ended as %s: %w", v.State, v.Error)
	}
	memory, err := peak()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(childReport{Rows: v.Rows, Bytes: v.Bytes, File: filepath.Join(k.Folder, v.File), Seconds: time.Since(began).Seconds(), MiB: memory})
}

// peak is the largest resident set of this process, in MiB.
func peak() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
	return kib >> 10, err
}

func exported(t testing.TB, database, format string) childReport {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{database, filepath.Join(t.TempDir(), "exports"), format}, "|"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	must(t, err)
	var r childReport
	must(t, json.Unmarshal(out, &r))
	r.core = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return r
}

// These scripts print what Python finds in a file: rows, distinct findings of
// images, and the sum of the scores.
const countCSV = `import csv, json, sys
rows, keys, total = 0, set(), 0.0
for r in csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")):
    rows += 1; keys.add(hash((r["Image ID"], r["Vulnerability"], r["Package"]))); total += float(r["CVSS score"])
print(json.dumps([rows, len(keys), total]))`

const countXLSX = `import json, sys, zipfile
from xml.etree.ElementTree import iterparse
ns = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
book, rows, keys, total = zipfile.ZipFile(sys.argv[1]), 0, set(), 0.0
for name in [n for n in book.namelist() if n.startswith("xl/worksheets/")]:
    head = data = None
    for event, e in iterparse(book.open(name), events=("start", "end")):
        if event == "start" and e.tag == ns + "sheetData":
            data = e
        if event == "start" or e.tag != ns + "row":
            continue
        cells = {c.attrib["r"].rstrip("0123456789"): "".join(c.itertext()) for c in e}
        if head is None:
            head = {v: k for k, v in cells.items()}
        else:
            rows += 1; keys.add(hash((cells[head["Image ID"]], cells[head["Vulnerability"]], cells[head["Package"]]))); total += float(cells[head["CVSS score"]])
        data.clear()
print(json.dumps([rows, len(keys), total]))`

func readBack(t testing.TB, r childReport, want int) {
	t.Helper()
	script := countCSV
	if strings.HasSuffix(r.File, ".xlsx") {
		script = countXLSX
	}
	var got [3]float64
	run(t, &got, script, r.File)
	if r.Rows != want || int(got[0]) != want || int(got[1]) != want || got[2] != 7.5*float64(want) {
		t.Errorf("%s: %d rows written, Python reads %v, want %d", filepath.Base(r.File), r.Rows, got, want)
	}
}

// maxMiB that an export may take, whatever its size.
const maxMiB = 120

func database(t testing.TB, images, packages, each int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pratique.db")
	s, err := store.Open(context.Background(), path, nil)
	must(t, err)
	estate(t, s, images, packages, each)
	must(t, s.Close())
	return path
}

// TestMemoryDoesNotGrow: ten times as much takes as much memory.
func TestMemoryDoesNotGrow(t *testing.T) {
	small, large := database(t, 4, 250, 4), database(t, 40, 250, 4)
	for _, format := range []string{"csv", "xlsx"} {
		a, b := exported(t, small, format), exported(t, large, format)
		t.Logf("%s: %d rows in %d MiB, %d rows in %d MiB and %.1f s", format, a.Rows, a.MiB, b.Rows, b.MiB, b.Seconds)
		readBack(t, b, 40_000)
		if b.MiB > maxMiB || b.MiB > a.MiB+30 {
			t.Errorf("%s: %d rows took %d MiB, and %d rows %d MiB", format, a.Rows, a.MiB, b.Rows, b.MiB)
		}
	}
}

// BenchmarkMillion exports a million findings of a thousand images, and reads the
// files back.
func BenchmarkMillion(b *testing.B) {
	path := database(b, 1000, 250, 4)
	for _, format := range []string{"csv", "xlsx", "json"} {
		b.Run(format, func(b *testing.B) {
			for b.Loop() {
				r := exported(b, path, format)
				b.StopTimer()
				b.ReportMetric(float64(r.MiB), "MiB-RSS")
				b.ReportMetric(float64(r.Bytes>>20), "MiB-file")
				b.ReportMetric(r.core.Seconds(), "core-s")
				if format != "json" {
					readBack(b, r, 1_000_000)
				}
				if r.MiB > maxMiB {
					b.Errorf("%d MiB", r.MiB)
				}
				b.StartTimer()
			}
		})
	}
}
