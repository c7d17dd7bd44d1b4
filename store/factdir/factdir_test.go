package factdir_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store/factdir"
)

func facts(i int) *pratique.Facts {
	return &pratique.Facts{
		DiffID: pratique.DigestOf(fmt.Append(nil, i)), Analyzer: "software", Version: "1/x", Verified: true,
		Entries:  &pratique.Entries{Count: 3, Files: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Whiteouts: []string{"a"}},
		Packages: []pratique.Package{{Type: "deb", Name: "a", Version: "1", Path: strings.Repeat("long/", 100)}},
	}
}

func open(t testing.TB, folder string) *factdir.Dir {
	t.Helper()
	d, err := factdir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// kept lists the files below folder.
func kept(t testing.TB, folder string) (names []string) {
	filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return nil
	})
	return names
}

func TestRoundTrip(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cache")
	d, f := open(t, folder), facts(1)
	if got := d.Get(f.DiffID, f.Analyzer, f.Version); got != nil {
		t.Errorf("before Put: %+v", got)
	}
	if err := d.Put(f); err != nil {
		t.Fatal(err)
	}
	if got := open(t, folder).Get(f.DiffID, f.Analyzer, f.Version); !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v, want %+v", got, f)
	}
	for _, key := range [][2]string{{"software", "2"}, {"files", "1/x"}, {"../software", "1/x"}} {
		if got := d.Get(f.DiffID, key[0], key[1]); got != nil {
			t.Errorf("%q: %+v", key, got)
		}
	}
	for _, bad := range []pratique.Digest{"", "sha256:x", "../../etc/passwd", pratique.Digest("sha256:" + strings.Repeat("/", 64))} {
		if d.Get(bad, "software", "1/x") != nil || d.Put(&pratique.Facts{DiffID: bad}) == nil {
			t.Errorf("digest %q is taken", bad)
		}
	}
}

// A damaged file is absent, and the next Put repairs it.
func TestDamaged(t *testing.T) {
	folder := t.TempDir()
	d, f, other := open(t, folder), facts(1), facts(2)
	if err := d.Put(other); err != nil {
		t.Fatal(err)
	}
	foreign, _ := os.ReadFile(kept(t, folder)[0])
	os.Remove(kept(t, folder)[0])
	if err := d.Put(f); err != nil {
		t.Fatal(err)
	}
	name := kept(t, folder)[0]
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/2] ^= 1
	for what, b := range map[string][]byte{"empty": nil, "cut": whole[:len(whole)/2], "flipped": flipped, "garbage": []byte("garbage"), "of another layer": foreign} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := d.Get(f.DiffID, f.Analyzer, f.Version); got != nil {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if err := d.Put(f); err != nil || d.Get(f.DiffID, f.Analyzer, f.Version) == nil {
		t.Errorf("not repaired: %v", err)
	}
}

func TestConcurrent(t *testing.T) {
	folder := t.TempDir()
	var group sync.WaitGroup
	for range 8 {
		d := open(t, folder)
		group.Go(func() {
			for i := range 30 {
				if err := d.Put(facts(i)); err != nil {
					t.Error(err)
				}
				if got := d.Get(facts(i).DiffID, "software", "1/x"); !reflect.DeepEqual(got, facts(i)) {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
	group.Wait()
	if n := len(kept(t, folder)); n != 30 {
		t.Errorf("%d files, want 30", n)
	}
}

func TestPrune(t *testing.T) {
	folder := t.TempDir()
	d := open(t, folder)
	if files, _, err := open(t, filepath.Join(folder, "absent")).Prune(0); files != 0 || err != nil {
		t.Errorf("absent folder: %d files, %v", files, err)
	}
	for i := range 3 {
		if err := d.Put(facts(i)); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-48 * time.Hour)
	for _, name := range kept(t, folder) {
		os.Chtimes(name, long, long)
	}
	d.Get(facts(0).DiffID, "software", "1/x") // used again
	dir := filepath.Dir(kept(t, folder)[0])
	// What somebody else keeps in the same folder is not ours to remove.
	foreign := []string{filepath.Join(folder, "notes.txt"), filepath.Join(folder, "v1.json.zst"), filepath.Join(folder, "photos/a.json.zst"), filepath.Join(dir, "README")}
	leftover, busy, old := filepath.Join(dir, ".new-1"), filepath.Join(dir, ".new-2"), filepath.Join(folder, "v0/software/x.json.zst")
	for _, name := range append(foreign, leftover, busy, old) {
		os.MkdirAll(filepath.Dir(name), 0o700)
		os.WriteFile(name, []byte("12345"), 0o600)
		os.Chtimes(name, long, long)
	}
	os.Chtimes(busy, time.Now(), time.Now())
	files, bytes, err := d.Prune(24 * time.Hour)
	if files != 4 || bytes < 10 || err != nil {
		t.Errorf("%d files, %d bytes, %v", files, bytes, err)
	}
	if files, _, err := d.Prune(0); files != 1 || err != nil {
		t.Errorf("of any age: %d files, %v", files, err)
	}
	for _, name := range append(foreign, busy) {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := open(t, filepath.Join(file, "cache")).Put(facts(1))
	if pratique.CodeOf(err) != pratique.CodeDisk || err.(*pratique.Error).Remedy == "" {
		t.Errorf("below a file: %v", err)
	}
	// A final name that cannot be taken leaves no temporary file.
	folder := t.TempDir()
	d := open(t, folder)
	if err := d.Put(facts(1)); err != nil {
		t.Fatal(err)
	}
	name := kept(t, folder)[0]
	os.Remove(name)
	os.MkdirAll(filepath.Join(name, "x"), 0o700)
	if err := d.Put(facts(1)); pratique.CodeOf(err) != pratique.CodeDisk {
		t.Errorf("name taken by a folder: %v", err)
	}
	if d.Get(facts(1).DiffID, "software", "1/x") != nil {
		t.Error("a folder was read")
	}
	if left := kept(t, folder); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// Whatever lies in the cache, Get returns the facts that were asked for or none.
func FuzzGet(f *testing.F) {
	folder := f.TempDir()
	d := open(f, folder)
	if err := d.Put(facts(1)); err != nil {
		f.Fatal(err)
	}
	name := kept(f, folder)[0]
	whole, _ := os.ReadFile(name)
	f.Add(whole)
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := d.Get(facts(1).DiffID, "software", "1/x"); got != nil && got.DiffID != facts(1).DiffID {
			t.Errorf("facts of %s", got.DiffID)
		}
	})
}

// Two processes that want the same layer read it one after the other. Open files
// lock each other out within a process as well, so one process can play both.
func TestTurns(t *testing.T) {
	folder := t.TempDir()
	one, err := factdir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	two, err := factdir.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	id := pratique.DigestOf([]byte("layer"))
	var inside, most atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			over, err := []*factdir.Dir{one, two}[i%2].Take(t.Context(), id)
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(5 * time.Millisecond)
			inside.Add(-1)
			over()
		})
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d had the turn at once", most.Load())
	}
	over, err := one.Take(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer over()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := two.Take(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a turn that is taken: %v", err)
	}
	other, err := two.Take(t.Context(), pratique.DigestOf([]byte("another")))
	if err != nil {
		t.Fatal(err)
	}
	other()
}

// Facts that a host attested are kept beside verified ones, give way to them, and
// never take their place.
func TestAttested(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "cache"))
	verified, attested := facts(1), facts(1)
	attested.Verified, attested.Packages = false, nil
	get := func() *pratique.Facts { return d.Get(verified.DiffID, verified.Analyzer, verified.Version) }
	for i, step := range []struct{ put, want *pratique.Facts }{{attested, attested}, {verified, verified}, {attested, verified}} {
		if err := d.Put(step.put); err != nil {
			t.Fatal(err)
		}
		if got := get(); !reflect.DeepEqual(got, step.want) {
			t.Errorf("step %d: %+v", i, got)
		}
	}
	if files, _, err := d.Prune(0); err != nil || files != 2 || get() != nil {
		t.Errorf("pruned %d files, %v", files, err)
	}
}

// fill sets every field of a value to something that is not its zero.
func fill(t *testing.T, v reflect.Value, at string) {
	switch v.Kind() {
	case reflect.Pointer:
		// A pointer to a number or word that is zero would come back as nil.
		if v.Type().Elem().Kind() != reflect.Struct {
			t.Errorf("%s points to a %s: what is kept cannot tell its zero from nothing", at, v.Type().Elem())
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), at)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)))
			return
		}
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name == "Origin" || at == "Facts.Problems" && name == "Layer" { // which layer it is only the image's view knows
				continue
			}
			fill(t, v.Field(i), at+"."+name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), at)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, at)
		fill(t, value, at)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("word")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.5)
	default:
		t.Errorf("%s is a %s, which cannot be kept", at, v.Kind())
	}
}

// Whatever facts there are, they come back as they were.
func TestEveryField(t *testing.T) {
	var f pratique.Facts
	fill(t, reflect.ValueOf(&f).Elem(), "Facts")
	f.DiffID = facts(1).DiffID
	d := open(t, t.TempDir())
	if err := d.Put(&f); err != nil {
		t.Fatal(err)
	}
	if got := d.Get(f.DiffID, f.Analyzer, f.Version); !reflect.DeepEqual(got, &f) {
		t.Errorf("got %+v, want %+v", got, &f)
	}
}
