package example

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	paths, err := Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	// Twice into one folder must not make a second image of it.
	if _, err := Write(dir); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(paths.Image)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(manifest.Manifests); n != 1 {
		t.Errorf("the layout lists %d images", n)
	}
}

func TestImageIsTheSameEachTime(t *testing.T) {
	one, err := Image()
	if err != nil {
		t.Fatal(err)
	}
	two, err := Image()
	if err != nil {
		t.Fatal(err)
	}
	a, err := one.Digest()
	if err != nil {
		t.Fatal(err)
	}
	b, err := two.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Errorf("%s and then %s", a, b)
	}
}

// A reader of ours must find the jar in the war, and the coordinates in the jar.
func TestArchivesAreWhole(t *testing.T) {
	files, err := uploads()
	if err != nil {
		t.Fatal(err)
	}
	war, err := zip.NewReader(strings.NewReader(files["srv/shop.war"]), int64(len(files["srv/shop.war"])))
	if err != nil {
		t.Fatal(err)
	}
	jar, err := fs.ReadFile(war, "WEB-INF/lib/log4j-core-2.14.1.jar")
	if err != nil {
		t.Fatal(err)
	}
	members, err := zip.NewReader(bytes.NewReader(jar), int64(len(jar)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(members, "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties"); err != nil {
		t.Error(err)
	}
}

// The digest of the test file is published by EICAR.
func TestEICAR(t *testing.T) {
	sum := md5.Sum([]byte(eicar()))
	if got, want := hex.EncodeToString(sum[:]), "44d88612fea8a8f36de82e1278abb02f"; got != want {
		t.Errorf("MD5 %s, want %s", got, want)
	}
}

// Every record has its file's name for an id, a way to be looked up, and a CVE.
func TestAdvisories(t *testing.T) {
	seen := 0
	err := fs.WalkDir(feeds, "feeds/osv", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		b, err := feeds.ReadFile(name)
		if err != nil {
			return err
		}
		var r struct {
			ID       string
			Aliases  []string
			Upstream []string
			Modified string
			Affected []struct {
				Package struct{ Ecosystem, Name string }
				Ranges  []struct{ Events []map[string]string }
			}
		}
		if err := json.Unmarshal(b, &r); err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		if r.ID+".json" != filepath.Base(name) || r.Modified == "" || !strings.HasPrefix(strings.Join(append(r.Aliases, r.Upstream...), " "), "CVE-") {
			t.Errorf("%s: id %q, modified %q, aliases %v, upstream %v", name, r.ID, r.Modified, r.Aliases, r.Upstream)
		}
		ecosystem := filepath.Base(filepath.Dir(name))
		if len(r.Affected) != 1 || !strings.HasPrefix(r.Affected[0].Package.Ecosystem, ecosystem) || len(r.Affected[0].Ranges) == 0 {
			t.Errorf("%s: affected %+v", name, r.Affected)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Errorf("%d records", seen)
	}
}

// No file of this folder, and so no binary that embeds it, may hold what the
// image plants.
func TestNothingPlantedInTheSource(t *testing.T) {
	planted := []string{eicar(), credential("database", "", 20), credential("code host", "", 36)}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		for _, p := range planted {
			if strings.Contains(string(b), p) {
				t.Errorf("%s holds a planted value", name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The estate is what the demonstration shows: it has to be the same at each start,
// share its layers, and be readable by those who know the formats.
func TestEstate(t *testing.T) {
	one, err := Estate()
	if err != nil {
		t.Fatal(err)
	}
	two, err := Estate()
	if err != nil {
		t.Fatal(err)
	}
	layers, images, contents := map[v1.Hash]int{}, 0, map[v1.Hash]bool{}
	for i, r := range one {
		for j, tagged := range r.Tags {
			images++
			if tagged.Index != nil {
				if manifest, err := tagged.Index.IndexManifest(); err != nil || len(manifest.Manifests) != 2 {
					t.Errorf("%s: %v", r.Name, err)
				}
				continue
			}
			all, err := tagged.Image.Layers()
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range all {
				if err := validate.Layer(l); err != nil {
					t.Errorf("%s: %v", r.Name, err)
				}
			}
			a, _ := tagged.Image.ConfigName()
			if b, _ := two[i].Tags[j].Image.ConfigName(); a != b {
				t.Errorf("%s: %s, then %s", r.Name, a, b)
			}
			contents[a] = true
			manifest, err := tagged.Image.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range manifest.Layers {
				layers[l.Digest]++
			}
		}
	}
	shared := 0
	for _, n := range layers {
		if n > 1 {
			shared++
		}
	}
	if len(one) < 12 || shared < 3 || len(contents) >= images {
		t.Errorf("%d repositories, %d tags of %d contents, %d shared layers", len(one), images, len(contents), shared)
	}
}

func TestGoProgram(t *testing.T) {
	info, err := buildinfo.Read(strings.NewReader(goProgram("go1.20.4", "example.test/a", "golang.org/x/net v0.10.0")))
	if err != nil {
		t.Fatal(err)
	}
	if info.GoVersion != "go1.20.4" || info.Main.Path != "example.test/a" || len(info.Deps) != 1 || info.Deps[0].Version != "v0.10.0" {
		t.Errorf("%+v", info)
	}
}

// What was pushed is read back as any client would.
func TestPush(t *testing.T) {
	estate, err := Estate()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(Registry())
	defer server.Close()
	for range 2 {
		if err := Push(t.Context(), server.URL, estate); err != nil {
			t.Fatal(err)
		}
	}
	host := strings.TrimPrefix(server.URL, "http://")
	for _, r := range estate {
		for _, tagged := range r.Tags {
			got, err := remote.Get(must(name.NewTag(host+"/"+r.Name+":"+tagged.Tag, name.Insecure)))
			if err != nil {
				t.Fatal(err)
			}
			var want v1.Hash
			if tagged.Index != nil {
				want, err = tagged.Index.Digest()
			} else {
				want, err = tagged.Image.Digest()
			}
			if err != nil || got.Digest != want {
				t.Errorf("%s:%s is %s, want %s (%v)", r.Name, tagged.Tag, got.Digest, want, err)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
