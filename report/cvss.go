package report

import "strings"

// CVSSMeaning decodes a CVSS vector into words, one line for each metric in the
// order of the vector: "Attack vector: network". Versions 2.0, 3.0, 3.1 and 4.0
// (https://www.first.org/cvss/) are known, with their threat, environmental and
// supplemental metrics. A metric that is not known is shown as it is written.
func CVSSMeaning(vector string) []string {
	metrics := cvss2
	parts := strings.Split(strings.Trim(vector, "()/ "), "/")
	switch parts[0] {
	case "CVSS:3.0", "CVSS:3.1":
		metrics, parts = cvss3, parts[1:]
	case "CVSS:4.0":
		metrics, parts = cvss4, parts[1:]
	}
	var lines []string
	for i, part := range parts {
		if i >= 40 { // version 4.0 has 32 metrics
			break
		}
		name, value, ok := strings.Cut(part, ":")
		if !ok {
			continue
		}
		lines = append(lines, cvssLine(metrics, name, value))
	}
	return lines
}

func cvssLine(metrics map[string]string, name, value string) string {
	prefix := ""
	meaning, ok := metrics[name]
	if base := strings.TrimPrefix(name, "M"); !ok && base != name {
		// Environmental metrics restate those of the base as they are at one site.
		meaning, ok = metrics[base]
		prefix = "Here: "
	}
	if !ok {
		return name + ": " + value
	}
	words := strings.Split(meaning, ";")
	for _, w := range words[1:] {
		if letter, word, _ := strings.Cut(w, "="); letter == value {
			return prefix + words[0] + ": " + word
		}
	}
	if value == "X" || value == "ND" {
		return prefix + words[0] + ": not defined"
	}
	return prefix + words[0] + ": " + value
}

// The metrics of each version: name, then the meaning of each value.
var (
	cvss2 = map[string]string{
		"AV": "Attack vector;L=local;A=adjacent network;N=network",
		"AC": "Attack complexity;H=high;M=medium;L=low",
		"Au": "Authentication;M=several times;S=once;N=none",
		"C":  "Loss of confidentiality;N=none;P=partial;C=complete",
		"I":  "Loss of integrity;N=none;P=partial;C=complete",
		"A":  "Loss of availability;N=none;P=partial;C=complete",
		"E":  "Exploit code;U=unproven;POC=proof of concept;F=functional;H=high",
		"RL": "Remedy;OF=official fix;TF=temporary fix;W=workaround;U=unavailable",
		"RC": "Confidence in the report;UC=unconfirmed;UR=uncorroborated;C=confirmed",
	}
	cvss3 = map[string]string{
		"AV": "Attack vector;N=network;A=adjacent network;L=local;P=physical",
		"AC": "Attack complexity;L=low;H=high",
		"PR": "Privileges required;N=none;L=low;H=high",
		"UI": "User interaction;N=none;R=required",
		"S":  "Scope;U=unchanged, only the vulnerable part is hit;C=changed, other parts are hit too",
		"C":  "Loss of confidentiality;N=none;L=low;H=high",
		"I":  "Loss of integrity;N=none;L=low;H=high",
		"A":  "Loss of availability;N=none;L=low;H=high",
		"E":  "Exploit code;U=unproven;P=proof of concept;F=functional;H=high",
		"RL": "Remedy;O=official fix;T=temporary fix;W=workaround;U=unavailable",
		"RC": "Confidence in the report;U=unknown;R=reasonable;C=confirmed",
		"CR": "Need for confidentiality;L=low;M=medium;H=high",
		"IR": "Need for integrity;L=low;M=medium;H=high",
		"AR": "Need for availability;L=low;M=medium;H=high",
	}
	cvss4 = map[string]string{
		"AV": "Attack vector;N=network;A=adjacent network;L=local;P=physical",
		"AC": "Attack complexity;L=low;H=high",
		"AT": "Attack requirements;N=none;P=present",
		"PR": "Privileges required;N=none;L=low;H=high",
		"UI": "User interaction;N=none;P=passive;A=active",
		"VC": "Loss of confidentiality, vulnerable system;N=none;L=low;H=high",
		"VI": "Loss of integrity, vulnerable system;N=none;L=low;H=high",
		"VA": "Loss of availability, vulnerable system;N=none;L=low;H=high",
		"SC": "Loss of confidentiality, other systems;N=none;L=low;H=high",
		"SI": "Loss of integrity, other systems;N=none;L=low;H=high;S=safety of people",
		"SA": "Loss of availability, other systems;N=none;L=low;H=high;S=safety of people",
		"E":  "Exploits;A=attacked;P=proof of concept;U=unreported",
		"CR": "Need for confidentiality;L=low;M=medium;H=high",
		"IR": "Need for integrity;L=low;M=medium;H=high",
		"AR": "Need for availability;L=low;M=medium;H=high",
		"S":  "Safety;N=negligible;P=present",
		"AU": "Can be automated;N=no;Y=yes",
		"R":  "Recovery;A=automatic;U=by the user;I=irrecoverable",
		"V":  "Value density;D=diffuse;C=concentrated",
		"RE": "Effort of response;L=low;M=moderate;H=high",
		"U":  "Provider's urgency;Clear=clear;Green=green;Amber=amber;Red=red",
	}
)
