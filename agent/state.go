package agent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
)

// state is what an agent keeps over restarts, in one file that only its owner may
// read, and that is replaced whole.
type state struct {
	path string

	mu   sync.Mutex
	kept kept
	key  *ecdsa.PrivateKey // of kept.Key, or one that is about to be certified
}

type kept struct {
	AgentID     int64     `json:"agentID,omitempty"`
	Key         []byte    `json:"key,omitempty"` // PKCS #8
	Certificate []byte    `json:"certificate,omitempty"`
	Authority   []byte    `json:"authority,omitempty"`
	Enrolled    time.Time `json:"enrolled,omitzero"` // when the certificate was made
	Expires     time.Time `json:"expires,omitzero"`
	// Token is the hash of the secret that we enrolled with: it is not tried again.
	Token string `json:"token,omitempty"`
	// Engines are those that we told about, by our names.
	Engines     map[string]pratique.EngineInfo `json:"engines,omitempty"`
	Generations map[string]int64               `json:"generations,omitempty"`
}

const stateFile = "agent.json"

// openState reads the state in a folder, which no other agent uses until unlock is
// called.
func openState(dir string) (s *state, unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, noState(err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, noState(err)
	}
	unlock = func() { _ = lock.Close() }
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unlock()
		return nil, nil, pratique.Errorf(pratique.CodeConflict, "another agent uses %s", dir).WithRemedy("stop it, or name another folder with --data")
	}
	s = &state{path: filepath.Join(dir, stateFile)}
	if err := s.read(); err != nil {
		unlock()
		return nil, nil, err
	}
	return s, unlock, nil
}

func noState(err error) error {
	return pratique.Errorf(pratique.CodeDisk, "the agent's state cannot be kept: %w", err).WithRemedy("name a folder that this user may write to with --data")
}

func (s *state) read() error {
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return noState(err)
	}
	if info, err := os.Stat(s.path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return pratique.Errorf(pratique.CodeInvalid, "others may read the agent's key in %s", s.path).WithRemedy("revoke the agent, remove the file, and enrol it again")
	}
	broken := pratique.Errorf(pratique.CodeCorrupt, "the agent's state in %s is damaged", s.path).WithRemedy("remove the file, and enrol the agent again")
	if json.Unmarshal(b, &s.kept) != nil {
		return broken
	}
	if len(s.kept.Key) > 0 {
		key, err := x509.ParsePKCS8PrivateKey(s.kept.Key)
		ours, ok := key.(*ecdsa.PrivateKey)
		if err != nil || !ok {
			return broken
		}
		s.key = ours
	}
	return nil
}

// write keeps what there is. The caller holds mu.
func (s *state) write() error {
	b, err := json.Marshal(s.kept)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), ".agent-*")
	if err != nil {
		return noState(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		return noState(err)
	}
	return nil
}

func (s *state) enrolled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept.Certificate) > 0 && s.key != nil
}

func (s *state) used(t wire.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Token == pratique.AgentSecretHash(t.Secret)
}

// newKey makes a key and a request for its certificate.
func (s *state) newKey() (request []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, s.key)
}

// certified keeps the key that was certified. A token that was used is no secret any
// more.
func (s *state) certified(c wire.Certified, t wire.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return err
	}
	s.kept.Key, s.kept.AgentID, s.kept.Token = key, c.AgentID, pratique.AgentSecretHash(t.Secret)
	s.set(c)
	return s.write()
}

func (s *state) set(c wire.Certified) {
	s.kept.Certificate, s.kept.Authority, s.kept.Enrolled, s.kept.Expires = c.Certificate, c.Authority, time.Now().UTC(), c.Expires
}

func (s *state) renewed(c wire.Certified) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(c)
	return s.write()
}

func (s *state) shouldRenew(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.kept.Enrolled) > s.kept.Expires.Sub(s.kept.Enrolled)/renewFrom
}

// certificate is what we show, and authority what signed it.
func (s *state) certificate() (own tls.Certificate, authority *x509.Certificate, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	leaf, err := x509.ParseCertificate(s.kept.Certificate)
	if err == nil {
		authority, err = x509.ParseCertificate(s.kept.Authority)
	}
	if err != nil {
		return own, nil, pratique.Errorf(pratique.CodeCorrupt, "the agent's state in %s is damaged", s.path).WithRemedy("remove the file, and enrol the agent again")
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: s.key, Leaf: leaf}, authority, nil
}

// engines are those that were told about, in the order of our names.
func (s *state) engines() (all []pratique.EngineInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.kept.Engines)) {
		all = append(all, s.kept.Engines[name])
	}
	return all
}

// engine is one that was told about.
func (s *state) engine(name string) (pratique.EngineInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, ok := s.kept.Engines[name]
	return info, ok
}

// keepEngines forgets all but those of the given names.
func (s *state) keepEngines(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.kept.Engines, func(name string, _ pratique.EngineInfo) bool { return !slices.Contains(names, name) })
}

// next numbers an inventory of an engine. The clock helps where the state was lost.
func (s *state) next(name string, info pratique.EngineInfo) (generation int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.Engines == nil {
		s.kept.Engines = map[string]pratique.EngineInfo{}
	}
	if s.kept.Generations == nil {
		s.kept.Generations = map[string]int64{}
	}
	generation = max(s.kept.Generations[name]+1, time.Now().UnixMilli())
	s.kept.Generations[name], s.kept.Engines[name] = generation, info
	return generation, s.write()
}
