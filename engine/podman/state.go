package podman

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/daemon"
	"github.com/pratique/pratique/engine/internal/database"
)

// storedContainer is one of containers.json.
type storedContainer struct {
	ID       string    `json:"id"`
	Names    []string  `json:"names"`
	Image    string    `json:"image"`
	Metadata string    `json:"metadata"`
	Created  time.Time `json:"created"`
}

// libpodConfig and libpodState are what podman's database has of a container
// (libpod/container_config.go, container.go).
type libpodConfig struct {
	Image   string          `json:"rootfsImageName"`
	Command []string        `json:"command"`
	Labels  pratique.Labels `json:"labels"`
	Created time.Time       `json:"createdTime"`
	Spec    struct {
		Process struct {
			Args []string `json:"args"`
		} `json:"process"`
	} `json:"spec"`
}

type libpodState struct {
	State    int       `json:"state"`
	Started  time.Time `json:"startedTime"`
	Finished time.Time `json:"finishedTime"`
	ExitCode int       `json:"exitCode"`
	PID      int       `json:"pid"`
}

// words are the values of libpodState.State (libpod/define/containerstate.go).
var words = [...]string{"unknown", "configured", "created", "running", "stopped", "paused", "exited", "removing", "stopping"}

// storedContainers puts together what the files tell. What runs containers besides
// podman, such as buildah, keeps them in the same store but not in podman's
// database; `podman ps` does not show those.
func (e *Engine) storedContainers(ctx context.Context) ([]pratique.Container, error) {
	root := e.root()
	var stored []storedContainer
	err := readJSON(filepath.Join(root, "overlay-containers/containers.json"), &stored)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(root, "overlay-images")); err == nil {
			return nil, nil
		}
	}
	if err != nil {
		return nil, e.unreadable(err)
	}
	records, err := e.records(ctx)
	if err != nil {
		return nil, err
	}
	var all []pratique.Container
	for _, s := range stored {
		k := pratique.Container{ID: s.ID, ImageID: digest(s.Image), Created: s.Created, Updated: s.Created, State: pratique.ContainerUnknown}
		if len(s.Names) > 0 {
			k.Name = s.Names[0]
		}
		var metadata struct {
			Image string `json:"image-name"`
		}
		_ = json.Unmarshal([]byte(s.Metadata), &metadata)
		k.Image = metadata.Image
		r, ok := records[s.ID]
		if !ok && len(records) > 0 {
			continue // not podman's
		}
		if ok {
			r.fill(&k, e.opt.HostRoot)
		}
		all = append(all, k)
	}
	return all, nil
}

type record struct{ config, state []byte }

func (r record) fill(k *pratique.Container, hostRoot string) {
	var config libpodConfig
	var now libpodState
	if json.Unmarshal(r.config, &config) != nil || json.Unmarshal(r.state, &now) != nil {
		return
	}
	k.Image, k.Labels, k.Created = orElse(config.Image, k.Image), config.Labels, config.Created
	if k.Command = config.Command; len(k.Command) == 0 {
		k.Command = config.Spec.Process.Args
	}
	if now.State > 0 && now.State < len(words) {
		k.State = state(words[now.State])
	}
	history(k, now.Started, now.Finished, now.ExitCode)
	if (k.State == pratique.ContainerRunning || k.State == pratique.ContainerPaused) && !alive(now.PID, hostRoot) {
		k.State, k.ExitCode = pratique.ContainerExited, nil // since podman last looked
	}
}

// alive tells whether a process is there, and no zombie. The host's processes are
// those of its /proc.
func alive(pid int, hostRoot string) bool {
	stat, err := os.ReadFile(filepath.Join("/", hostRoot, "proc", strconv.Itoa(pid), "stat"))
	if err != nil || pid <= 0 {
		return false
	}
	_, after, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	return !strings.HasPrefix(after, "Z")
}

// records reads podman's database: SQLite since 4.8 where it is new, bbolt before.
func (e *Engine) records(ctx context.Context) (map[string]record, error) {
	if name := filepath.Join(e.root(), "db.sql"); exists(name) {
		return sqliteRecords(ctx, name)
	}
	records := map[string]record{}
	err := database.View(filepath.Join(e.root(), "libpod/bolt_state.db"), func(tx *bolt.Tx) error {
		containers := tx.Bucket([]byte("ctr"))
		if containers == nil {
			return nil
		}
		return containers.ForEachBucket(func(id []byte) error {
			b := containers.Bucket(id)
			records[string(id)] = record{append([]byte(nil), b.Get([]byte("config"))...), append([]byte(nil), b.Get([]byte("state"))...)}
			return nil
		})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return records, err
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// sqliteRecords reads the tables of libpod/sqlite_state_internal.go.
func sqliteRecords(ctx context.Context, name string) (_ map[string]record, err error) {
	defer func() {
		if err != nil {
			err = pratique.Errorf(pratique.CodeUnreachable, "podman's database %s cannot be read: %w", name, err).WithRemedy("try again, or start podman's service")
		}
	}()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: name}).EscapedPath(), RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}).String())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT c.ID, c.JSON, s.JSON FROM ContainerConfig c JOIN ContainerState s ON s.ID = c.ID")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := map[string]record{}
	for rows.Next() {
		var id string
		var r record
		if err := rows.Scan(&id, &r.config, &r.state); err != nil {
			return nil, err
		}
		records[id] = r
	}
	return records, rows.Err()
}

// Watch tells what happens, by podman's service or by looking at its files.
func (e *Engine) Watch(ctx context.Context, yield func(engine.Event) error) error {
	s := e.service(ctx)
	if s == nil {
		return e.look(ctx, yield)
	}
	defer s.Close()
	type message struct {
		Type, Action string
		Actor        struct{ ID string }
		Time         int64 `json:"time"`
		TimeNano     int64 `json:"timeNano"`
	}
	err := daemon.Events(ctx, s.Client, "/v"+s.version+"/libpod/events", url.Values{"stream": {"true"}}, func(m message) error {
		if m.Type != engine.SubjectImage && m.Type != engine.SubjectContainer || strings.HasPrefix(m.Action, "exec") || strings.HasPrefix(m.Action, "health") {
			return nil
		}
		at := time.Unix(0, m.TimeNano)
		if m.TimeNano == 0 {
			at = time.Unix(m.Time, 0)
		}
		return yield(engine.Event{Subject: m.Type, Action: m.Action, ID: m.Actor.ID, Time: at})
	})
	return s.Told(err, "look into podman's log")
}

// lookEvery is how often files are looked at.
const lookEvery = 2 * time.Second

// look tells when one of podman's files has changed.
func (e *Engine) look(ctx context.Context, yield func(engine.Event) error) error {
	root := e.root()
	if !exists(filepath.Join(root, "overlay-images")) {
		return e.unreadable(fs.ErrNotExist)
	}
	files := map[string]string{
		"overlay-images/images.json": engine.SubjectImage, "overlay-containers/containers.json": engine.SubjectContainer,
		"libpod/bolt_state.db": engine.SubjectContainer, "db.sql": engine.SubjectContainer,
	}
	seen := map[string]time.Time{}
	for first := true; ; first = false {
		for name, subject := range files {
			info, err := os.Stat(filepath.Join(root, name))
			if err != nil || info.ModTime().Equal(seen[name]) {
				continue
			}
			seen[name] = info.ModTime()
			if first {
				continue
			}
			if err := yield(engine.Event{Subject: subject, Action: "change", Time: info.ModTime()}); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
		case <-time.After(lookEvery):
		}
	}
}
