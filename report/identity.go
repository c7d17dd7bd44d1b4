package report

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/pratique/pratique"
)

// namespaceURL is the name space of names that are URLs (RFC 9562, section 6.6).
var namespaceURL = [16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// documentID returns a UUID of version 5 (RFC 9562) that names what a document
// says: this content, judged with this knowledge, in this format. What has no
// image ID (a folder, a bill of materials) is named by its packages.
func documentID(format string, r *pratique.Report) string {
	content := string(r.Image.ID)
	if content == "" {
		h := sha256.New()
		for i := range r.Packages {
			fmt.Fprintf(h, "%s\n", packageKey(&r.Packages[i]))
		}
		content = r.Image.Name + " " + hex.EncodeToString(h.Sum(nil))
	}
	knowledge := "none"
	if r.Bundle != nil {
		knowledge = string(r.Bundle.Digest)
	}
	h := sha1.New()
	h.Write(namespaceURL[:])
	fmt.Fprintf(h, "https://github.com/pratique/pratique/%s/%s/%s", format, content, knowledge)
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// packageKey names one package at one place of an image, in sixteen hex digits.
func packageKey(p *pratique.Package) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %d", p.Type, p.Name, p.Version, p.Arch, p.Path, p.Line))
	return hex.EncodeToString(sum[:8])
}

// imagePURL returns the package URL of an image (purl type "oci"), which needs
// a manifest digest; "" without one.
func imagePURL(im *pratique.Image) string {
	if im.Digest == "" || im.Name == "" {
		return ""
	}
	repository, _, _ := strings.Cut(im.Name, "@")
	if slash, colon := strings.LastIndex(repository, "/"), strings.LastIndex(repository, ":"); colon > slash {
		repository = repository[:colon]
	}
	name := strings.ToLower(repository[strings.LastIndex(repository, "/")+1:])
	if name == "" {
		return ""
	}
	purl := "pkg:oci/" + url.PathEscape(name) + "@" + url.QueryEscape(string(im.Digest))
	if im.Platform.Architecture != "" {
		purl += "?arch=" + url.QueryEscape(im.Platform.Architecture)
	}
	return purl
}

// coverageText words a category's coverage in one line.
func coverageText(c pratique.CategoryCoverage) string {
	s := string(c.State)
	if s == "" {
		s = string(pratique.CoverageUnknown)
	}
	if len(c.Reasons) > 0 {
		s += ": " + strings.Join(c.Reasons, "; ")
	}
	return s
}
