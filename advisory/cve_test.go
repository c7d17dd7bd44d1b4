package advisory

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

const nvdFile = `{
  "resultsPerPage": 2, "startIndex": 0, "totalResults": 2, "format": "NVD_CVE", "version": "2.0", "timestamp": "2024-08-01T03:00:00.000",
  "vulnerabilities": [
    {"cve": {
      "id": "CVE-2023-90001", "sourceIdentifier": "security@example.org", "published": "2023-05-01T10:15:00.123", "lastModified": "2024-02-03T04:05:06.007",
      "vulnStatus": "Analyzed",
      "descriptions": [{"lang": "es", "value": "Un mensaje"}, {"lang": "en", "value": "A crafted manifest."}],
      "metrics": {
        "cvssMetricV31": [
          {"source": "134c704f-9b21-4f2e-91b3-4a467353bcc0", "type": "Secondary", "cvssData": {"version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 8.1}},
          {"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "3.1", "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8}}
        ],
        "cvssMetricV2": [{"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "2.0", "vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "baseScore": 7.5}}]
      },
      "weaknesses": [{"source": "nvd@nist.gov", "type": "Primary", "description": [{"lang": "en", "value": "CWE-787"}, {"lang": "en", "value": "NVD-CWE-noinfo"}]}],
      "references": []
    }},
    {"cve": {"id": "CVE-2023-90009", "published": "2023-06-01T00:00:00.000", "lastModified": "2023-06-02T00:00:00.000", "vulnStatus": "Rejected",
      "descriptions": [{"lang": "en", "value": "Rejected reason: not a flaw."}], "metrics": {}}}
  ]
}`

const scoresFile = `cve,type,vector,source
CVE-2023-90001,CVSS_V3,CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H,vulnrichment
CVE-2023-90001,CVSS_V4,CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N,ghsa
CVE-2024-90010,CVSS_V2,AV:N/AC:M/Au:N/C:N/I:P/A:N,vulnrichment
not-a-cve,CVSS_V3,CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H,x
CVE-2024-90011,CVSS_V3,nonsense,x
`

const epssFile = `#model_version:v2025.03.14,score_date:2024-08-16T00:00:00+0000
cve,epss,percentile
CVE-2023-90001,0.97565,0.99999
CVE-1999-0001,0.00043,0.10000
CVE-2024-1234567,1,1
CVE-2024-90010,1.5,0.1
`

const kevFile = `{
  "title": "A catalogue", "catalogVersion": "2024.08.07", "dateReleased": "2024-08-07T16:45:47.0648Z", "count": 1,
  "vulnerabilities": [{
    "cveID": "CVE-2023-90001", "vendorProject": "Harbour", "product": "Master", "vulnerabilityName": "Harbourmaster Out-of-Bounds Write",
    "dateAdded": "2024-08-07", "shortDescription": "A crafted manifest.", "requiredAction": "Update.", "dueDate": "2024-08-28",
    "knownRansomwareCampaignUse": "Known", "notes": ""
  }]
}`

func TestCVE(t *testing.T) {
	s := newStore(t)
	mustImport(t, s, folder(t, feeds(t)))
	b := current(t, s)

	got, err := b.CVE("cve-2023-90001")
	if err != nil {
		t.Fatal(err)
	}
	vector := func(version, v string, score float64, severity pratique.Severity, source string) pratique.CVSS {
		return pratique.CVSS{Version: version, Vector: v, Score: score, Severity: severity, Source: source}
	}
	want := &pratique.CVE{
		ID:          "CVE-2023-90001",
		Description: "A crafted manifest.",
		Published:   time.Date(2023, 5, 1, 10, 15, 0, 123_000_000, time.UTC),
		CWEs:        []string{"CWE-787"},
		CVSS: []pratique.CVSS{
			vector("3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, pratique.SeverityCritical, "nvd"),
			vector("2.0", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, pratique.SeverityHigh, "nvd"),
			vector("3.1", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1, pratique.SeverityHigh, "cisa-adp"),
			vector("4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, pratique.SeverityCritical, "ghsa"),
		},
		EPSS: &pratique.EPSS{Score: 0.97565, Percentile: 0.99999, Date: "2024-08-16"},
		KEV: &pratique.KEV{DateAdded: "2024-08-07", DueDate: "2024-08-28", Name: "Harbourmaster Out-of-Bounds Write",
			Action: "Update.", Ransomware: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	if c, err := b.CVE("CVE-2023-90009"); err != nil || c == nil || !c.Rejected {
		t.Errorf("a rejected CVE: %+v, %v", c, err)
	}
	if c, err := b.CVE("CVE-2024-1234567"); err != nil || c == nil || c.EPSS == nil || c.EPSS.Score != 1 || c.KEV != nil {
		t.Errorf("a CVE of seven digits: %+v, %v", c, err)
	}
	for _, id := range []string{"CVE-2023-90002", "CVE-1998-0001", "GHSA-aaaa-bbbb-cccc", "CVE-2023-", "CVE-2023-x", "", "CVE-2023-99999999999999999999"} {
		if c, err := b.CVE(id); c != nil || err != nil {
			t.Errorf("%s: %+v, %v", id, c, err)
		}
	}
	for _, f := range b.Feeds() {
		want := map[string]int{"cvss/scores": 2, "epss": 1, "kev": 0, "nvd": 0}
		if refused, ok := want[f.Source]; ok && f.Refused != refused {
			t.Errorf("%s: %d refused, want %d", f.Source, f.Refused, refused)
		}
		if f.Source == "epss" && f.Newest.Format(time.DateOnly) != "2024-08-16" {
			t.Errorf("EPSS is of %v", f.Newest)
		}
	}
}

func TestLaterNVDRecordCounts(t *testing.T) {
	later := strings.NewReplacer("2024-02-03T04", "2024-07-07T04", "AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N").Replace(nvdFile)
	s := newStore(t)
	mustImport(t, s, folder(t, map[string][]byte{"nvdcve-2.0-2023.json": []byte(nvdFile), "nvdcve-2.0-modified.json": []byte(later)}))
	c, err := current(t, s).CVE("CVE-2023-90001")
	if err != nil || c.CVSS[0].Score != 5.3 || len(c.CVSS) != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestHashes(t *testing.T) {
	md5, sha1, sha256 := strings.Repeat("0A", 16), strings.Repeat("b1", 20), strings.Repeat("c2", 32)
	list := "sha256,name\n# a comment\n\n" +
		md5 + ",Dropper.A\n" +
		sha1 + "\t\"Miner.B\"\n" +
		sha256 + "  *evil \x1b[31m.bin\n" +
		strings.Repeat("d3", 32) + "\n" +
		"nonsense line\n"
	s := newStore(t)
	r, err := s.Import(t.Context(), ImportOptions{Hashes: true, Inputs: []string{folder(t, map[string][]byte{"known-bad.txt": []byte(list)})}})
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Feeds[0]; f.Source != "hashes/known-bad" || f.Records != 4 || f.Refused != 1 {
		t.Errorf("status %+v", f)
	}
	b := current(t, s)
	for hash, want := range map[string]string{
		strings.ToLower(md5): "Dropper.A", md5: "Dropper.A", sha1: "Miner.B", sha256: "evil [31m.bin", strings.Repeat("d3", 32): "known-bad",
	} {
		if name, list, ok := b.Hash(hash); !ok || name != want || list != "known-bad" {
			t.Errorf("%s: %q of %q, %v; want %q", hash, name, list, ok, want)
		}
	}
	for _, hash := range []string{"", "zz", strings.Repeat("0a", 15), strings.Repeat("0b", 16), strings.Repeat("0a", 20), strings.Repeat("zz", 16)} {
		if name, _, ok := b.Hash(hash); ok {
			t.Errorf("%q is taken for %s", hash, name)
		}
	}
}

func FuzzTables(f *testing.F) {
	for _, seed := range []string{nvdFile, scoresFile, epssFile, kevFile, strings.Repeat("0a", 16) + " x\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		cves, epss, hashes := newCVETable(), &epssTable{}, newHashList("fuzz")
		for name, err := range map[string]error{
			"nvd": cves.readNVD(strings.NewReader(data)), "scores": cves.readScores(strings.NewReader(data)),
			"kev": cves.readKEV(strings.NewReader(data)), "epss": epss.read(strings.NewReader(data)), "hashes": hashes.read(strings.NewReader(data)),
		} {
			if err != nil && strings.TrimSpace(err.Error()) == "" {
				t.Errorf("%s: an error without a word", name)
			}
		}
		seg, err := openCVEs(cves.build(), newBlockCache())
		if err != nil {
			t.Fatal(err)
		}
		for key := range cves.records {
			if rec, err := seg.lookup(key); err != nil || rec == nil {
				t.Fatalf("%x is lost: %v", key, err)
			}
		}
		scores, err := openEPSS(epss.build())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range epss.entries {
			if scores.lookup(e.key) == nil {
				t.Fatalf("%x is lost", e.key)
			}
		}
		known, err := openHashes("fuzz", hashes.build())
		if err != nil {
			t.Fatal(err)
		}
		for kind, table := range hashes.tables {
			for _, e := range table {
				if name, ok := known.lookup(kind, []byte(e.sum)); !ok || name == "" {
					t.Fatalf("%x is lost", e.sum)
				}
			}
		}
	})
}

func ExampleParseCVSS() {
	c, ok := ParseCVSS("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	fmt.Println(c.Score, c.Severity, ok)
	// Output: 9.8 critical true
}
