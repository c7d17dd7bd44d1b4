package pratique

import "testing"

func TestEcosystemName(t *testing.T) {
	for _, c := range []struct{ purlType, namespace, name, ecosystem, want string }{
		{"npm", "@babel", "core", "npm", "@babel/core"},
		{"npm", "", "left-pad", "npm", "left-pad"},
		{"pypi", "", "Zope.Interface", "PyPI", "zope-interface"},
		{"pypi", "", "a_-_b", "PyPI", "a-b"},
		{"maven", "org.apache.logging.log4j", "log4j-core", "Maven", "org.apache.logging.log4j:log4j-core"},
		{"golang", "github.com/x", "y", "Go", "github.com/x/y"},
		{"golang", "", "stdlib", "Go", "stdlib"},
		{"composer", "symfony", "http-kernel", "Packagist", "symfony/http-kernel"},
		{"deb", "debian", "openssl", "", "openssl"},
		{"rpm", "redhat", "bash", "", "bash"},
		{"apk", "alpine", "busybox", "", "busybox"},
		{"swift", "github.com/apple", "swift-nio", "SwiftURL", "github.com/apple/swift-nio"},
		{"github", "actions", "checkout", "GitHub Actions", "actions/checkout"},
		{"generic", "", "thing", "", "thing"},
	} {
		if got := EcosystemName(c.purlType, c.namespace, c.name); got != c.want {
			t.Errorf("EcosystemName(%q, %q, %q) = %q, want %q", c.purlType, c.namespace, c.name, got, c.want)
		}
		if got := EcosystemOf(c.purlType); got != c.ecosystem {
			t.Errorf("EcosystemOf(%q) = %q, want %q", c.purlType, got, c.ecosystem)
		}
	}
}
