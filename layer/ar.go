package layer

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// arMagic begins an ar archive (ar(5)).
const arMagic = "!<arch>\n"

var errAr = errors.New("it is no ar archive")

// deb walks a Debian package (deb(5)): an ar archive whose members are tars with
// the package's scripts and its files.
func (e *expansion) deb(name string, r io.Reader, depth int) error {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != arMagic {
		return errAr
	}
	for {
		var header [60]byte
		if _, err := io.ReadFull(r, header[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
		if err != nil || size < 0 || string(header[58:]) != "`\n" {
			return fmt.Errorf("%w: a member's header is damaged", errAr)
		}
		if e.members++; e.members > archiveMembers {
			return errMembers
		}
		body := &io.LimitedReader{R: r, N: size}
		member := strings.TrimRight(string(header[:16]), " /")
		if err := e.member(memberName(name, member), 0o644, &bombGuard{body, e}, depth); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		if body.N > 0 {
			return io.ErrUnexpectedEOF
		}
		if size%2 == 1 { // members begin at even offsets
			if _, err := io.ReadFull(r, header[:1]); err != nil && err != io.EOF {
				return err
			}
		}
	}
}
