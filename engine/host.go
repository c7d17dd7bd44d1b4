package engine

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
)

// ThisHost describes the machine that we run on, without its engines. hostRoot
// is where its root file system is, which is "/" unless we run in a container.
func ThisHost(hostRoot string) (pratique.Host, error) {
	h := pratique.Host{Architecture: runtime.GOARCH, IPs: addresses()}
	var err error
	if h.Name, err = os.Hostname(); err != nil {
		return h, pratique.Errorf(pratique.CodeInternal, "the host does not know its name: %w", err)
	}
	var uname unix.Utsname
	if unix.Uname(&uname) == nil {
		h.Kernel = unix.ByteSliceToString(uname.Release[:])
	}
	h.OS = osName(hostRoot)
	id := machineID(hostRoot)
	if id == "" {
		return h, pratique.Errorf(pratique.CodeNotFound, "the host has no machine-id").
			WithRemedy("make one with systemd-machine-id-setup, so that the host is known again after a restart")
	}
	// machine-id(5) asks that it be hashed before it is given away.
	h.ID = pratique.DigestOf([]byte("pratique host " + id)).Hex()[:32]
	return h, nil
}

// addresses are the host's own that others may reach, loopback and link-local
// ones left out.
func addresses() []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var ips []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP.String())
		}
	}
	slices.Sort(ips)
	return ips
}

func osName(hostRoot string) string {
	f, err := os.Open(filepath.Join("/", hostRoot, "etc/os-release"))
	if err != nil {
		return runtime.GOOS
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"'`)
		}
	}
	return runtime.GOOS
}

func machineID(hostRoot string) string {
	for _, name := range []string{"etc/machine-id", "var/lib/dbus/machine-id"} {
		b, err := os.ReadFile(filepath.Join("/", hostRoot, name))
		if id := strings.TrimSpace(string(b)); err == nil && len(id) == 32 {
			return id
		}
	}
	return ""
}
