package report

import (
	"strings"
	"testing"
)

// Every word that CVSSMeaning can say has a translation.
func TestCVSSMetricsAreTranslated(t *testing.T) {
	for _, table := range []map[string]string{cvss2, cvss3, cvss4} {
		for _, meaning := range table {
			words := strings.Split(meaning, ";")
			if cvssChinese[words[0]] == "" {
				t.Errorf("%q is not translated", words[0])
			}
			for _, w := range words[1:] {
				if _, word, _ := strings.Cut(w, "="); cvssChinese[word] == "" {
					t.Errorf("%q is not translated", word)
				}
			}
		}
	}
	all := CVSSMetrics("CVSS:3.1/AV:N/MAC:H/ZZ:Q")
	if len(all) != 3 || all[0].Name.ZH != "攻击途径" || all[0].Value.EN != "network" || all[0].Value.ZH != "网络" ||
		all[1].Name.EN != "Here: Attack complexity" || all[1].Name.ZH != "本地：攻击复杂度" || all[1].Value.ZH != "高" || all[2].Value.ZH != "Q" {
		t.Errorf("%+v", all)
	}
}
