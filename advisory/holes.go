package advisory

import "strings"

// holes is what a source is known not to tell: the difference between "nothing
// is listed" and "nothing is wrong". Reports repeat it.
func holes(kind, source string) []string {
	switch kind {
	case kindCVE:
		if source == "nvd" {
			return []string{"NVD leaves many CVEs since 2024 without a score or a weakness"}
		}
		return []string{"scores only: no weaknesses (CWE), dates or descriptions"}
	case kindEPSS:
		return []string{"an estimate of exploitation within 30 days, not of harm; it changes daily"}
	case kindKEV:
		return []string{"exploitation that CISA has evidence of; absence is no evidence of the contrary"}
	case kindHashes:
		return []string{"matches exact files only: one changed byte is another hash"}
	}
	_, ecosystem, _ := strings.Cut(source, "/")
	switch ecosystem {
	case "Debian":
		return []string{
			"many records carry no CVSS: scores come from NVD or from a table of scores, else the severity is unknown",
			"end-of-life releases get no new entries",
		}
	case "Ubuntu":
		return []string{"fixes for Ubuntu Pro are ecosystems of their own (Ubuntu:Pro:…) and need a subscription"}
	case "Alpine":
		return []string{"lists only fixed vulnerabilities: unfixed ones are not known for this distribution"}
	case "Red Hat", "SUSE", "openSUSE", "Rocky Linux", "openEuler":
		return []string{ecosystem + " lists only fixed vulnerabilities here: unfixed ones are not known for this distribution"}
	case "AlmaLinux":
		return []string{
			"AlmaLinux lists only fixed vulnerabilities here: unfixed ones are not known for this distribution",
			"no record carries CVSS: scores come from NVD or from a table of scores, else the advisory's own rating counts",
		}
	case "Wolfi", "Chainguard":
		return []string{"lists fixed vulnerabilities; those that are still being looked into are not in it"}
	case "Go":
		return []string{"records without a listed fix name all versions of a module; affected functions are not compared with the binary"}
	case "PyPI":
		return []string{"records of PYSEC carry no severity of their own"}
	}
	return nil
}
