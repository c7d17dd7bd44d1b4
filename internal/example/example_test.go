package example

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
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
