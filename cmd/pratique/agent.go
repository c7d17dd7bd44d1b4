package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/analyze/malware/rulepack"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/containerd"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/engine/podman"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/source"
)

// agentFlags are the settings of an agent.
type agentFlags struct {
	config    string
	server    string
	tokenFile string
	data      string
	hostRoot  string
	project   string
	labels    []string
	site      string
	engines   []string
	cpu       int
	memory    string
	parallel  int
	urgent    bool
	logLevel  string
	logFormat string
}

func newAgentCommand() *cobra.Command {
	f := &agentFlags{}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Tell a service about this host's images and containers, and scan them here",
		Long: `Connects to a service, tells which images and containers the engines of this host
have, and scans images where they are: what is found travels, files never do. Nothing
connects to an agent.

At the first start it enrols with a token, which the console makes under Agents. After
that it has a key of its own in the data folder, and the token is no longer needed.

With --site it is the worker of a network instead: it reads the registries that the
service has for that site.

Each flag can be set by the environment (PRATIQUE_SERVER for --server) and by a file
(--config), as for "pratique serve".`,
		Example: "  pratique agent --server https://pratique.example:8443 --token-file /etc/pratique/agent.token\n  pratique agent --server https://pratique.example:8443 --token-file token --site factory-2",
		Args:    cobra.NoArgs,
		RunE:    configured(&f.config, f.run),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "settings file, .yaml or .toml")
	flags.StringVar(&f.server, "server", "", "https://HOST:PORT of the service for agents (required)")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the token to enrol with; needed until it has enrolled")
	flags.StringVar(&f.data, "data", "/var/lib/pratique-agent", "folder for its key and state")
	flags.StringVar(&f.hostRoot, "host-root", "/", "where the host's root file system is, if the agent runs in a container")
	flags.StringVar(&f.project, "project", "", "business group that the host belongs to (default: what the token says)")
	flags.StringSliceVar(&f.labels, "label", nil, "NAME=VALUE that the host is shown with")
	flags.StringVar(&f.site, "site", "", "read the registries of this site instead of the host's images")
	flags.StringSliceVar(&f.engines, "engine", nil, "only these engines, as KIND or KIND=PLACE: docker=unix:///run/docker.sock, containerd=/run/containerd/containerd.sock, podman=/var/lib/containers/storage (default: all that there are)")
	flags.IntVar(&f.cpu, "cpu", 1, "processors that it uses at most")
	flags.StringVar(&f.memory, "memory", "224MiB", "memory that it tries to stay within: a number with KiB, MiB or GiB")
	flags.IntVar(&f.parallel, "parallel", 1, "images that are scanned at once")
	flags.BoolVar(&f.urgent, "no-nice", false, "take processors and disks like any other program, instead of last")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	return cmd
}

func (f *agentFlags) check() (memory int64, err error) {
	if f.server == "" {
		return 0, pratique.Errorf(pratique.CodeInvalid, "--server is missing").WithRemedy("name the service: --server https://HOST:PORT")
	}
	if f.cpu < 1 || f.cpu > 256 {
		return 0, pratique.Errorf(pratique.CodeInvalid, "--cpu is %d", f.cpu).WithRemedy("give 1 to 256")
	}
	if f.parallel < 1 || f.parallel > 64 {
		return 0, pratique.Errorf(pratique.CodeInvalid, "--parallel is %d", f.parallel).WithRemedy("give 1 to 64")
	}
	return parseSize("--memory", f.memory)
}

// leastMemory is what an agent cannot do without.
const leastMemory = 96 << 20

// parseSize reads "256MiB".
func parseSize(flag, text string) (int64, error) {
	bad := pratique.Errorf(pratique.CodeInvalid, "%s is %.20q", flag, text).WithRemedy("give a size of at least %d MiB, such as 256MiB or 1GiB", leastMemory>>20)
	digits := strings.TrimRight(text, "KMGiB ")
	shift, known := map[string]int{"KiB": 10, "MiB": 20, "GiB": 30}[strings.TrimSpace(text[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || !known || n<<shift < leastMemory {
		return 0, bad
	}
	return n << shift, nil
}

func (f *agentFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	memory, err := f.check()
	if err != nil {
		return err
	}
	log, err := (&serveFlags{logLevel: f.logLevel, logFormat: f.logFormat}).logger(stderr)
	if err != nil {
		return err
	}
	labels, err := parseLabels(f.labels)
	if err != nil {
		return err
	}
	engines, err := f.chosen()
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(f.cpu)
	debug.SetMemoryLimit(memory)
	debug.SetGCPercent(100)
	if !f.urgent {
		agent.Yield()
	}
	scratch, remove, err := f.scratch()
	if err != nil {
		return err
	}
	defer remove()
	fmt.Fprintf(stdout, "Agent for %s\n", f.server)
	return agent.Run(ctx, agent.Config{
		Server: f.server, Data: f.data, Site: f.site, Engines: engines, Parallel: f.parallel, Version: toolVersion(), Log: log,
		Token: f.token,
		Host: func() (pratique.Host, error) {
			h, err := engine.ThisHost(f.hostRoot)
			h.Project, h.Labels = f.project, labels
			return h, err
		},
		Connectors: connectors(),
		Remote:     &source.Remote{},
		Pass:       func(secretKey []byte) (*layer.Pass, error) { return f.pass(secretKey, scratch) },
		Scratch:    scratch,
		Rules:      f.rules,
	})
}

// token reads the token's file.
func (f *agentFlags) token() (string, error) {
	if f.tokenFile == "" {
		return "", pratique.Errorf(pratique.CodeInvalid, "the agent has not enrolled, and --token-file is missing").WithRemedy("make a token under Agents, and name its file")
	}
	file, err := os.Open(f.tokenFile)
	if err != nil {
		return "", pratique.Errorf(pratique.CodeNotFound, "the token cannot be read: %w", err).WithRemedy("check --token-file")
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 4<<10))
	if err != nil {
		return "", pratique.Errorf(pratique.CodeDisk, "the token cannot be read: %w", err).WithRemedy("check --token-file")
	}
	return string(text), nil
}

func parseLabels(all []string) (pratique.Labels, error) {
	labels := pratique.Labels{}
	for _, text := range all {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, pratique.Errorf(pratique.CodeInvalid, "--label is %.40q", text).WithRemedy("write NAME=VALUE")
		}
		labels[name] = value
	}
	return labels, nil
}

// chosen are the engines that are watched.
func (f *agentFlags) chosen() (all []agent.Engine, err error) {
	if f.site != "" {
		return nil, nil
	}
	wanted := f.engines
	if len(wanted) == 0 {
		wanted = []string{"docker", "containerd", "podman"}
	}
	for _, text := range wanted {
		kind, place, _ := strings.Cut(text, "=")
		switch pratique.EngineKind(kind) {
		case pratique.EngineDocker:
			all = append(all, agent.Engine{Name: text, Engine: docker.New(docker.Options{Host: place, HostRoot: f.hostRoot})})
		case pratique.EngineContainerd:
			all = append(all, agent.Engine{Name: text, Engine: containerd.New(containerd.Options{Address: place, HostRoot: f.hostRoot})})
		case pratique.EnginePodman:
			all = append(all, f.podmans(text, place)...)
		default:
			return nil, pratique.Errorf(pratique.CodeInvalid, "--engine is %.60q", text).WithRemedy("write docker, containerd or podman, and after = where it is")
		}
	}
	return all, nil
}

// podmans are the stores of podman: the one that is named, or root's and the users'.
func (f *agentFlags) podmans(name, place string) (all []agent.Engine) {
	if place != "" {
		return []agent.Engine{{Name: name, Engine: podman.New(podman.Options{Root: place, HostRoot: f.hostRoot})}}
	}
	for _, options := range podman.Users(f.hostRoot) {
		name := "podman"
		if options.Owner != "" {
			name += " of " + options.Owner
		}
		all = append(all, agent.Engine{Name: name, Engine: podman.New(options)})
	}
	return all
}

// agentMemory is how many bytes of files' content an agent's scans hold at once.
const agentMemory = 32 << 20

// scratch is the agent's folder for large files, also those of libraries.
func (f *agentFlags) scratch() (dir string, remove func(), err error) {
	dir, removed, err := scratchFolder(filepath.Join(f.data, "scratch"))
	if err != nil {
		return "", nil, err
	}
	before := os.Getenv("TMPDIR")
	if err := os.Setenv("TMPDIR", dir); err != nil {
		removed()
		return "", nil, noRoom(err)
	}
	return dir, func() {
		_ = os.Setenv("TMPDIR", before)
		removed()
	}, nil
}

// feeds is where the agent keeps packs of rules.
func (f *agentFlags) feeds() string { return filepath.Join(f.data, "feeds") }

// pass makes what layers are read with: the same analyzers as the service's, whose
// secrets' hashes are made with the service's key.
func (f *agentFlags) pass(secretKey []byte, scratch string) (*layer.Pass, error) {
	chosen := analyzerFlags{secrets: secretFlags{derived: secretKey}, malware: malwareFlags{feeds: f.feeds()}}
	analyzers, _, err := chosen.analyzers(context.Background())
	if err != nil {
		return nil, err
	}
	return layer.NewPass(analyzers, layer.Limits{Memory: agentMemory}, scratch), nil
}

// rules makes the packs of rules that the agent keeps those that the service names.
func (f *agentFlags) rules(ctx context.Context, named []wire.RulePack, fetch func(context.Context, pratique.Digest, io.Writer) error) (changed bool, err error) {
	kept, err := openRules(f.feeds())
	if err != nil {
		return false, err
	}
	before, err := kept.Packs()
	if err != nil {
		return false, err
	}
	packs := []rulepack.Pack{}
	for _, p := range named {
		packs = append(packs, rulepack.Pack{RulePack: p.RulePack, Digest: p.Digest.Hex(), Imported: time.Now().UTC()})
	}
	if err := kept.Follow(ctx, packs, fetch); err != nil {
		return false, err
	}
	return generation(before) != generation(packs), nil
}
