package pratique

// Paths in facts are slash-separated, relative to the image's root without a
// leading slash ("etc/passwd"). A member of an archive follows "!/":
// "srv/app.war!/WEB-INF/lib/log4j-core.jar".

// NestedSeparator parts an archive from the member inside it.
const NestedSeparator = "!/"

// Facts are what one analyzer read in one layer. They depend only on the
// layer's bytes and on the analyzer's version, never on advisories, so they are
// kept for ever under (DiffID, Analyzer, Version).
type Facts struct {
	DiffID   Digest `json:"diffID"`
	Analyzer string `json:"analyzer"`
	Version  string `json:"version"` // the analyzer's, including the digest of its rules
	// Verified: we computed the DiffID from the bytes that these facts come from.
	Verified bool `json:"verified"`

	Entries   *Entries    `json:"entries,omitempty"`
	Releases  []Release   `json:"releases,omitempty"`
	Packages  []Package   `json:"packages,omitempty"`
	Ownership []Ownership `json:"ownership,omitempty"`
	Licenses  []License   `json:"licenses,omitempty"`
	Files     []FileFact  `json:"files,omitempty"`
	Secrets   []Secret    `json:"secrets,omitempty"`
	Malware   []Malware   `json:"malware,omitempty"`
	Problems  []Problem   `json:"problems,omitempty"`
}

// Entries are a layer's bare structure: enough to tell which files of lower
// layers it hides, without keeping a million names.
type Entries struct {
	Count int64 `json:"count"` // tar entries
	Bytes int64 `json:"bytes"` // of the uncompressed tar
	// Files and Dirs hold [NameHash] of every entry, sorted, little-endian, eight
	// bytes each. Files has all that are not folders, hard links and symbolic
	// links included.
	Files []byte `json:"files,omitempty"`
	Dirs  []byte `json:"dirs,omitempty"`
	// Whiteouts are paths that the layer removes; Opaque are folders whose lower
	// content it hides (OCI image-spec, "Whiteouts").
	Whiteouts []string `json:"whiteouts,omitempty"`
	Opaque    []string `json:"opaque,omitempty"`
	// Merged are those of the [UsrMerged] folders that are symbolic links here.
	Merged []string `json:"merged,omitempty"`
	// Aliases are hard links to files of the layer that have facts: the content
	// stays reachable by them when an upper layer removes the first name.
	Aliases []Alias `json:"aliases,omitempty"`
}

// Alias is a hard link.
type Alias struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}

// Release is a file that says which distribution this is, or a symbolic link
// in the place of one.
type Release struct {
	Path    string `json:"path"`
	Content string `json:"content,omitempty"` // at most 64 KiB
	Target  string `json:"target,omitempty"`  // of a symbolic link, as the layer has it
}

// Package is one installed or declared piece of software.
type Package struct {
	// Type is the package URL type: deb, rpm, apk, npm, pypi, maven, golang, gem,
	// composer, nuget, cargo …
	Type string `json:"type"`
	// Name as advisories of the ecosystem write it: "openssl",
	// "org.apache.logging.log4j:log4j-core", "@babel/core", "github.com/x/y".
	Name string `json:"name"`
	// Version exactly as the package manager prints it, epoch included ("1:2.3-4").
	Version   string   `json:"version"`
	Arch      string   `json:"arch,omitempty"`
	PURL      string   `json:"purl,omitempty"`      // without the distro in facts, with it in a report
	Ecosystem string   `json:"ecosystem,omitempty"` // OSV's: "npm"; for OS packages "Debian:12", in a report only
	Source    *Source  `json:"source,omitempty"`    // the source package, where it is named
	Licenses  []string `json:"licenses,omitempty"`  // SPDX ids or expressions where the package states such, else its own words
	Module    string   `json:"module,omitempty"`    // rpm modularity label: name:stream:version:context:arch
	Path      string   `json:"path"`                // the file that says so; nested in archives by "!/"
	Line      int      `json:"line,omitempty"`      // in that file, from 1
	Scope     string   `json:"scope,omitempty"`     // "dev", "optional", "test" in lock files; "" is runtime
	FoundBy   string   `json:"foundBy,omitempty"`   // the extractor
	// Declared: a manifest or lock file asks for it, but it need not be installed.
	Declared bool `json:"declared,omitempty"`

	// What only the whole image tells; nil and "" in facts.
	Origin  *Origin `json:"origin,omitempty"`
	OwnedBy string  `json:"ownedBy,omitempty"` // the OS package whose files these are
}

// Source is the source package that an OS package was built from: advisories
// of Debian, Ubuntu and Alpine name it instead of the binary.
type Source struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Ownership are the files that an OS package's database says it installed.
type Ownership struct {
	Package string `json:"package"`
	// Path of the database, so that one hidden by an upper layer does not count.
	Path string `json:"path"`
	// Files holds [PathHash] of each path, sorted, little-endian, eight bytes each.
	Files []byte `json:"files"`
}

// License is what a package's copyright file states, where the package
// database has no licences (Debian's usr/share/doc/*/copyright).
type License struct {
	Package  string   `json:"package"`
	Path     string   `json:"path"`
	Licenses []string `json:"licenses"`
}

// FileFact are the digests of a file that may carry malware, in lower-case hex.
type FileFact struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	Type   string `json:"type"` // elf, pe, macho, script, class, archive, office, pdf, other
	MD5    string `json:"md5"`
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`

	Origin *Origin `json:"origin,omitempty"` // in an image view only
}

// Text is a sentence for people in the console's languages.
type Text struct {
	EN string `json:"en,omitempty"`
	ZH string `json:"zh,omitempty"`
}

// Secret is a credential found in an image. Its value is never kept.
type Secret struct {
	Rule     string   `json:"rule"`
	Title    string   `json:"title,omitempty"`
	Type     string   `json:"type,omitempty"` // "cloud key", "private key", "password", "token" …
	Severity Severity `json:"severity"`
	Source   string   `json:"source"`         // "file", "history", "env" or "label"
	Path     string   `json:"path,omitempty"` // file; nested in archives by "!/"
	Line     int      `json:"line,omitempty"` // from 1
	Preview  string   `json:"preview"`        // masked
	// Hash is keyed by a key that never leaves the installation, so that the same
	// secret is recognised elsewhere without being known.
	Hash   string  `json:"hash,omitempty"`
	Advice Text    `json:"advice,omitzero"`
	Origin *Origin `json:"origin,omitempty"`
	// Suppressed says why a finding does not count: an allow list, a known test key.
	Suppressed string `json:"suppressed,omitempty"`
}
