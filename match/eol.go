package match

import (
	"fmt"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// Support is how long a release of a distribution gets security fixes from its
// vendor, without a further contract.
type Support struct {
	// Ends is the first day without them (UTC). Debian's long-term support counts,
	// because its fixes come by the ordinary archive; Ubuntu Pro, Red Hat's ELS and
	// SUSE's LTSS do not.
	Ends  time.Time
	Ended bool   // on the day that was asked about
	Note  string // what else there is to know, for people; mostly ""
}

// EndOfLife looks up the release of d in our table of vendors' announcements. ok
// is false when it is not there: a rolling release, or one that we do not know.
func EndOfLife(d *pratique.Distro, now time.Time) (s Support, ok bool) {
	if d == nil {
		return s, false
	}
	id, release := d.ID, releaseOf(d)
	if id == "centos" && strings.Contains(d.Name, "Stream") {
		id = "centos-stream"
	}
	last, ok := lastDays[id][release]
	if !ok {
		return s, false
	}
	s.Ends = dayAfter(last)
	s.Ended = !now.Before(s.Ends)
	if regular, found := debianRegular[release]; found && id == "debian" && !s.Ended && !now.Before(dayAfter(regular)) {
		s.Note = fmt.Sprintf("Debian %s has been in long-term support (LTS) since %s: a smaller team, and not for every package", release, dayAfter(regular).Format(time.DateOnly))
	}
	return s, true
}

func dayAfter(date string) time.Time {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic("match: a date in the table of releases is malformed: " + date)
	}
	return t.AddDate(0, 0, 1)
}

// releaseOf is a distribution's version in the precision of the table.
func releaseOf(d *pratique.Distro) string {
	major, _, _ := strings.Cut(d.Version, ".")
	switch d.ID {
	case "debian":
		return debianRelease(d)
	case "ubuntu", "alpine":
		parts := strings.SplitN(d.Version, ".", 3)
		if len(parts) < 2 || strings.Contains(d.Version, "_") {
			return ""
		}
		return parts[0] + "." + parts[1]
	case "sles", "opensuse-leap":
		if !strings.Contains(d.Version, ".") {
			return d.Version + ".0"
		}
		return d.Version
	case "amzn":
		if strings.HasPrefix(d.Version, "201") { // 2017.09, 2018.03: one rolling release
			return "1"
		}
	}
	return major
}

// lastDays holds, by os-release ID and release, the last day with security fixes
// from the vendor, as the vendors announced them (checked August 2026).
var lastDays = map[string]map[string]string{
	// https://wiki.debian.org/LTS, https://www.debian.org/releases/: end of LTS, or of
	// security support before there was LTS
	"debian": {
		"4.0": "2010-02-15", "5.0": "2012-02-06", "6.0": "2016-02-29", "7": "2018-05-31", "8": "2020-06-30",
		"9": "2022-06-30", "10": "2024-06-30", "11": "2026-08-31", "12": "2028-06-30", "13": "2030-06-30",
	},
	// https://ubuntu.com/about/release-cycle: end of standard support
	"ubuntu": {
		"10.04": "2015-04-30", "12.04": "2017-04-28", "12.10": "2014-05-16", "13.04": "2014-01-27", "13.10": "2014-07-17",
		"14.04": "2019-04-25", "14.10": "2015-07-23", "15.04": "2016-02-04", "15.10": "2016-07-28", "16.04": "2021-04-30",
		"16.10": "2017-07-20", "17.04": "2018-01-13", "17.10": "2018-07-19", "18.04": "2023-05-31", "18.10": "2019-07-18",
		"19.04": "2020-01-23", "19.10": "2020-07-17", "20.04": "2025-05-29", "20.10": "2021-07-22", "21.04": "2022-01-20",
		"21.10": "2022-07-14", "22.04": "2027-06-01", "22.10": "2023-07-20", "23.04": "2024-01-25", "23.10": "2024-07-11",
		"24.04": "2029-05-31", "24.10": "2025-07-10", "25.04": "2026-01-15", "25.10": "2026-07-09", "26.04": "2031-05-29",
		"26.10": "2027-07-15",
	},
	// https://alpinelinux.org/releases/
	"alpine": {
		"2.1": "2012-11-01", "2.2": "2013-05-01", "2.3": "2013-11-01", "2.4": "2014-05-01", "2.5": "2014-11-01",
		"2.6": "2015-05-01", "2.7": "2015-11-01", "3.0": "2016-05-01", "3.1": "2016-11-01", "3.2": "2017-05-01",
		"3.3": "2017-11-01", "3.4": "2018-05-01", "3.5": "2018-11-01", "3.6": "2019-05-01", "3.7": "2019-11-01",
		"3.8": "2020-05-01", "3.9": "2020-11-01", "3.10": "2021-05-01", "3.11": "2021-11-01", "3.12": "2022-05-01",
		"3.13": "2022-11-01", "3.14": "2023-05-01", "3.15": "2023-11-01", "3.16": "2024-05-23", "3.17": "2024-11-22",
		"3.18": "2025-05-09", "3.19": "2025-11-01", "3.20": "2026-04-01", "3.21": "2026-11-01", "3.22": "2027-05-01",
		"3.23": "2027-11-01", "3.24": "2028-06-01",
	},
	// https://www.centos.org/centos-linux-eol/, https://www.centos.org/cl-vs-cs/
	"centos":        {"5": "2017-03-31", "6": "2020-11-30", "7": "2024-06-30", "8": "2021-12-31"},
	"centos-stream": {"8": "2024-05-31", "9": "2027-05-31", "10": "2030-05-31"},
	// https://access.redhat.com/support/policy/updates/errata: end of maintenance support
	"rhel": {"4": "2012-02-29", "5": "2017-03-31", "6": "2020-11-30", "7": "2024-06-30", "8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"},
	// https://wiki.rockylinux.org/rocky/version/
	"rocky": {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"},
	// https://wiki.almalinux.org/release-notes/
	"almalinux": {"8": "2029-05-31", "9": "2032-05-31", "10": "2035-05-31"},
	// https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf: end of premier support
	"ol": {"5": "2017-06-30", "6": "2021-03-31", "7": "2024-12-31", "8": "2029-07-31", "9": "2032-06-30"},
	// https://docs.fedoraproject.org/en-US/releases/eol/
	"fedora": {
		"20": "2015-06-23", "21": "2015-12-01", "22": "2016-07-19", "23": "2016-12-20", "24": "2017-08-08", "25": "2017-12-12",
		"26": "2018-05-29", "27": "2018-11-30", "28": "2019-05-28", "29": "2019-11-26", "30": "2020-05-26", "31": "2020-11-24",
		"32": "2021-05-25", "33": "2021-11-30", "34": "2022-06-07", "35": "2022-12-13", "36": "2023-05-16", "37": "2023-12-05",
		"38": "2024-05-21", "39": "2024-11-26", "40": "2025-05-13", "41": "2025-12-15", "42": "2026-05-27", "43": "2026-12-09",
		"44": "2027-06-02",
	},
	// https://aws.amazon.com/amazon-linux-2/faqs/, https://docs.aws.amazon.com/linux/al2023/
	"amzn": {"1": "2023-12-31", "2": "2026-06-30", "2023": "2029-06-30"},
	// https://www.suse.com/lifecycle: end of general support
	"sles": {
		"11.4": "2019-03-31", "12.0": "2016-06-30", "12.1": "2017-05-31", "12.2": "2018-03-31", "12.3": "2019-06-30",
		"12.4": "2020-06-30", "12.5": "2024-10-31", "15.0": "2019-12-31", "15.1": "2021-01-31", "15.2": "2021-12-31",
		"15.3": "2022-12-31", "15.4": "2023-12-31", "15.5": "2024-12-31", "15.6": "2025-12-31", "15.7": "2031-07-31",
		"16.0": "2027-11-30",
	},
	// https://en.opensuse.org/Lifetime
	"opensuse-leap": {
		"42.1": "2017-05-17", "42.2": "2018-01-26", "42.3": "2019-07-01", "15.0": "2019-12-03", "15.1": "2021-02-02",
		"15.2": "2022-01-04", "15.3": "2022-12-31", "15.4": "2023-12-07", "15.5": "2024-12-31", "15.6": "2026-04-30",
		"16.0": "2027-10-31",
	},
	// https://www.mageia.org/en/support/
	"mageia": {"5": "2017-12-31", "6": "2019-09-30", "7": "2021-06-30", "8": "2023-11-30", "9": "2026-09-29", "10": "2028-03-31"},
}

// debianRegular is the last day of regular security support of Debian releases
// that go on in LTS, where now may still lie between the two.
var debianRegular = map[string]string{
	"10": "2022-09-10", "11": "2024-08-14", "12": "2026-07-11", "13": "2028-08-09",
}
