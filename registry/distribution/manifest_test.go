package distribution

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/pratique/pratique"
)

// shelf keeps manifests by digest, as a registry does.
type shelf map[pratique.Digest][]byte

func (s shelf) put(v any) Descriptor {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	d := pratique.DigestOf(b)
	s[d] = b
	return Descriptor{Digest: d, Size: int64(len(b))}
}

func (s shelf) fetch(_ context.Context, d Descriptor) ([]byte, error) {
	b, ok := s[d.Digest]
	if !ok {
		return nil, pratique.Errorf(pratique.CodeNotFound, "%s is not here", d.Digest).WithRemedy("put it there")
	}
	return b, nil
}

func (s shelf) image(platform string) Descriptor {
	d := s.put(Manifest{SchemaVersion: 2, MediaType: TypeOCIManifest, Config: Descriptor{Digest: pratique.DigestOf([]byte(platform))}})
	d.MediaType = TypeOCIManifest
	if parts := strings.Split(platform, "/"); platform != "" {
		d.Platform = &DescribedFor{OS: parts[0], Architecture: parts[1]}
		if len(parts) > 2 {
			d.Platform.Variant = parts[2]
		}
	}
	return d
}

func (s shelf) index(children ...Descriptor) Descriptor {
	d := s.put(Manifest{SchemaVersion: 2, MediaType: TypeOCIIndex, Manifests: children})
	d.MediaType = TypeOCIIndex
	return d
}

func TestSelect(t *testing.T) {
	s := shelf{}
	attestation := s.image("unknown/unknown")
	own := "linux/" + runtime.GOARCH
	other := "linux/s390x"
	missing := s.image("linux/ppc64le")
	delete(s, missing.Digest)
	deep := s.image(own)
	for range maxIndexDepth + 1 {
		deep = s.index(deep)
	}
	for _, c := range []struct {
		name     string
		root     Descriptor
		platform string
		want     string // a platform, or an error's part
		code     pratique.Code
	}{
		{"a manifest", s.image("linux/mips"), "", "linux/mips", ""},
		{"own platform", s.index(attestation, s.image(other), s.image(own)), "", own, ""},
		{"asked for", s.index(s.image(other), s.image(own)), other, other, ""},
		{"nested", s.index(s.index(s.image(other)), s.index(attestation, s.index(s.image(own)))), "", own, ""},
		{"only one, another", s.index(attestation, s.image("linux/mips")), "", "linux/mips", ""},
		{"only Windows", s.index(s.image("windows/amd64"), s.image("windows/arm64")), "", "windows/amd64", ""},
		{"highest ARM", s.index(s.image("linux/arm/v5"), s.image("linux/arm/v7"), s.image("linux/arm/v6")), "linux/arm", "linux/arm/v7", ""},
		{"ARM variant", s.index(s.image("linux/arm/v5"), s.image("linux/arm/v7")), "linux/arm/v5", "linux/arm/v5", ""},
		{"arm64 is v8", s.index(s.image("linux/arm64/v8"), s.image("linux/amd64")), "linux/aarch64", "linux/arm64/v8", ""},
		{"none of several", s.index(s.image("linux/mips"), s.image(other)), "", "it has linux/mips, linux/s390x", pratique.CodeNotFound},
		{"not that one", s.index(s.image("linux/mips")), other, "it has linux/mips", pratique.CodeNotFound},
		{"sparse", s.index(s.image(own), missing), "linux/ppc64le", "is not there", pratique.CodeNotFound},
		{"attestations only", s.index(attestation), "", "no image", pratique.CodeUnsupported},
		{"empty", s.index(), "", "no image", pratique.CodeUnsupported},
		{"too deep", deep, "", "nested", pratique.CodeLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := ParsePlatform(c.platform)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Select(t.Context(), s.fetch, c.root, s[c.root.Digest], want)
			if c.code != "" {
				wantError(t, err, c.code, c.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Manifest.Config.Digest != pratique.DigestOf([]byte(c.want)) {
				t.Errorf("chose %+v, want %s", got.Descriptor, c.want)
			}
			if isIndex := c.root.MediaType == TypeOCIIndex; isIndex != (got.Index == c.root.Digest) {
				t.Errorf("index is %q", got.Index)
			}
		})
	}
}

func TestParseManifestRefuses(t *testing.T) {
	config := fmt.Sprintf(`"config":{"digest":%q,"size":2}`, someDigest)
	for _, c := range []struct {
		name, content, mediaType string
		code                     pratique.Code
	}{
		{"schema 1", `{"schemaVersion":1,"fsLayers":[]}`, "", pratique.CodeUnsupported},
		{"schema 1 by type", `{}`, TypeDockerSchema1, pratique.CodeUnsupported},
		{"both at once", `{"schemaVersion":2,` + config + `,"manifests":[{"digest":"` + someDigest + `"}]}`, "", pratique.CodeCorrupt},
		{"bad digest", `{"schemaVersion":2,` + config + `,"layers":[{"digest":"sha256:../../etc"}]}`, "", pratique.CodeCorrupt},
		{"SHA-512", `{"schemaVersion":2,` + config + `,"layers":[{"digest":"sha512:00"}]}`, "", pratique.CodeUnsupported},
		{"negative size", `{"schemaVersion":2,` + config + `,"layers":[{"digest":"` + someDigest + `","size":-1}]}`, "", pratique.CodeCorrupt},
		{"no config", `{"schemaVersion":2}`, "", pratique.CodeCorrupt},
		{"no JSON", `<html>`, "", pratique.CodeCorrupt},
		{"too large", strings.Repeat(" ", MaxManifest+1), "", pratique.CodeLimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseManifest([]byte(c.content), c.mediaType)
			wantError(t, err, c.code, "")
		})
	}
}

func TestParsePlatform(t *testing.T) {
	for _, bad := range []string{"linux", "linux/", "a/b/c/d", "/amd64"} {
		_, err := ParsePlatform(bad)
		wantError(t, err, pratique.CodeInvalid, "linux/amd64")
	}
	if p, err := ParsePlatform("Linux/X86_64"); err != nil || p.String() != "linux/amd64" {
		t.Errorf("got %s, %v", p, err)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"config":{"digest":"`+someDigest+`","size":1},"layers":[]}`), TypeOCIManifest)
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"`+someDigest+`","platform":{"os":"linux","architecture":"amd64"}}]}`), TypeOCIIndex)
	f.Add([]byte(`{"schemaVersion":1}`), "application/json")
	f.Fuzz(func(t *testing.T, content []byte, mediaType string) {
		m, err := ParseManifest(content, mediaType)
		if err != nil {
			if pratique.CodeOf(err) == pratique.CodeInternal || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v", err)
			}
			return
		}
		self := func(context.Context, Descriptor) ([]byte, error) { return content, nil }
		_, _ = Select(t.Context(), self, Descriptor{MediaType: m.MediaType, Digest: pratique.DigestOf(content)}, content, pratique.Platform{})
	})
}
