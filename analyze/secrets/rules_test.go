package secrets

import "testing"

func TestBuiltinRules(t *testing.T) {
	own, err := ownFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range own {
		f, err := parseFile(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.Rules {
			r, err := f.Rules[i].translate()
			if err != nil {
				t.Error(err)
				continue
			}
			if r.pattern == nil {
				continue
			}
			for _, a := range r.pattern.anchors {
				if len(a.words) == 0 && r.path == nil {
					t.Errorf("rule %s has no words: it would be tried everywhere", r.id)
				}
			}
		}
	}
	if _, err := assemble(own, nil); err != nil {
		t.Fatal(err)
	}
}
