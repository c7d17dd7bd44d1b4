package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent"
	"github.com/pratique/pratique/analyze/malware/rulepack"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/internal/enginetest"
)

// Rules that are imported on the server look into images of hosts. What was changed on
// the way is refused, and what the server forgets the agent forgets.
func TestRulesReachAgents(t *testing.T) {
	d := enginetest.Docker(t)
	d.Run(t, "import", enginetest.Base(t), "t/base:1")
	d.Run(t, "run", "-d", "--network", "none", "t/base:1", "/bin/sleep", "600") // it runs: it is to be scanned again if its rules are old
	data := filepath.Join(t.TempDir(), "data")
	theirs := rulepack.NewStore(filepath.Join(data, "feeds", "rules"))
	importRule(t, theirs, "Any_File")
	p := servePortOn(t, data)
	config := hostConfig(t, p.token(pratique.AgentHost, ""), "host", agent.Engine{Name: "docker", Engine: docker.New(docker.Options{Host: "unix://" + d.Socket})})
	ours := rulepack.NewStore(filepath.Join(config.Data, "feeds", "rules"))
	host := run(t, config)
	defer host.stop()

	p.until("the image is known", func() bool { return len(p.images()) == 1 })
	scanned := func(what string) {
		t.Helper()
		if task := p.ended(p.scanLocal(allLocal)); task.Scanned != 1 {
			t.Fatalf("%s: task %+v", what, task)
		}
		found, err := p.db.Malware(t.Context(), pratique.FindingFilter{}, pratique.PageRequest{Limit: 100})
		if err != nil || !slices.ContainsFunc(found.Items, func(m pratique.PlacedMalware) bool {
			return m.Name == "Any_File" && m.Pack != nil && m.Pack.Name == "Any_File"
		}) {
			t.Errorf("%s: the rules of the server did not find it: %+v, %v", what, found.Items, err)
		}
	}
	scanned("the pack was there first")
	rows, err := p.db.Assets(t.Context(), pratique.AssetFilter{Source: pratique.SourceLocal, Recommended: true}, pratique.PageRequest{Limit: 10})
	check(t, err)
	if len(rows.Items) != 0 {
		t.Errorf("it was scanned with rules that are not the current ones: %+v", rows.Items)
	}

	forge(t, theirs, filepath.Join(data, "feeds", "rules"))
	var problem pratique.Problem
	p.until("the agent says that it does not take changed rules", func() bool {
		agents, err := p.db.Agents(t.Context())
		if err != nil || len(agents) != 1 || len(agents[0].Problems) == 0 {
			return false
		}
		problem = agents[0].Problems[0]
		return true
	})
	if problem.Code != pratique.CodeCorrupt || !strings.Contains(problem.Message, "not those that were announced") || problem.Remedy == "" {
		t.Errorf("the problem is %+v", problem)
	}
	if kept, err := ours.Packs(); err != nil || len(kept) != 1 || kept[0].Name != "Any_File" {
		t.Errorf("the agent keeps %+v, %v", kept, err)
	}
	scanned("another pack was refused")

	check(t, theirs.Follow(t.Context(), []rulepack.Pack{}, nil))
	p.until("the agent has forgotten what the server forgot", func() bool {
		kept, err := ours.Packs()
		return err == nil && len(kept) == 0
	})
	if left, err := filepath.Glob(filepath.Join(config.Data, "feeds", "rules", "*.rules")); err != nil || len(left) != 0 {
		t.Errorf("it keeps %v, %v", left, err)
	}
}

// importRule imports a pack with a rule that finds every file.
func importRule(t *testing.T, into *rulepack.Store, name string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".yar")
	check(t, os.WriteFile(file, []byte("rule "+name+" { condition: filesize > 0 }"), 0o600))
	_, err := into.Import(t.Context(), file, name)
	check(t, err)
}

// forge puts a pack into a store whose content is not what its digest says.
func forge(t *testing.T, into *rulepack.Store, dir string) {
	t.Helper()
	elsewhere := filepath.Join(t.TempDir(), "rules")
	store := rulepack.NewStore(elsewhere)
	importRule(t, store, "Forged")
	forged, err := store.Packs()
	check(t, err)
	content, err := os.ReadFile(filepath.Join(elsewhere, forged[0].Digest+".rules"))
	check(t, err)
	content[len(content)/2] ^= 1
	check(t, os.WriteFile(filepath.Join(dir, forged[0].Digest+".rules"), content, 0o600))
	packs, err := into.Packs()
	check(t, err)
	list, err := json.Marshal(append(packs, forged...))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "packs.new"), list, 0o600))
	check(t, os.Rename(filepath.Join(dir, "packs.new"), filepath.Join(dir, "packs.json")))
}
