package layer_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/analyze/malware"
	"github.com/pratique/pratique/analyze/software"
	"github.com/pratique/pratique/layer"
)

func TestLocal(t *testing.T) {
	sw, err := software.New()
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string][]analyze.Analyzer{"none": nil, "sw": {sw}, "all": {sw, files.Analyzer{}, malware.Analyzer{}}}
	for _, name := range []string{"none", "sw", "all"} {
		as := sets[name]
		f, _ := os.Create("/tmp/lb/" + name + ".prof")
		pprof.StartCPUProfile(f)
		p := layer.NewPass(as, layer.Limits{}, t.TempDir())
		start := time.Now()
		r, err := p.Read(context.Background(), func(context.Context) (io.ReadCloser, error) { return os.Open(os.Getenv("LAYER")) }, pratique.Layer{}, nil)
		pprof.StopCPUProfile()
		n, q := 0, 0
		for _, f := range r.Facts {
			n += len(f.Packages)
			q += len(f.Files)
			for _, p := range f.Problems {
				fmt.Println(p)
			}
		}
		fmt.Println(name, time.Since(start), err, n, "packages", q, "files", r.Facts[0].Entries.Count)
		p.Close()
	}
}
