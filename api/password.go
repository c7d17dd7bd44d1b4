package api

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/pratique/pratique"
)

// Cost of argon2id (RFC 9106): above OWASP's least (19 MiB, 2 passes), about a
// tenth of a second on a small server.
const (
	hashMemory   = 32 << 10 // KiB
	hashPasses   = 3
	hashLanes    = 1
	hashSalt     = 16 // bytes
	hashBytes    = 32
	hashesAtOnce = 2  // bounds the memory that strangers can make us use: 64 MiB
	hashesQueued = 32 // more than that have to come back later
)

// Limits of a password.
const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes
)

// hasher computes few hashes at once.
type hasher struct {
	slots chan struct{}
	queue chan struct{}
	dummy string // of no password at all
}

func newHasher() *hasher {
	h := &hasher{slots: make(chan struct{}, hashesAtOnce), queue: make(chan struct{}, hashesQueued)}
	salt := make([]byte, hashSalt)
	rand.Read(salt) //nolint: never fails (crypto/rand)
	key := make([]byte, hashBytes)
	rand.Read(key) //nolint: never fails
	h.dummy = phc(salt, key)
	return h
}

// enter waits for a slot.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, newProblem(http.StatusServiceUnavailable, codeUnavailable, "too many people sign in at once").
			withRemedy("try again in a few seconds").withRetry(5 * time.Second)
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

func phc(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// hash returns a password's hash in PHC form.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, hashSalt)
	rand.Read(salt) //nolint: never fails
	return phc(salt, argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashLanes, hashBytes)), nil
}

// verify tells whether a password has the hash. An empty hash stands for a user
// who does not exist: the same work is done, and the answer is no.
func (h *hasher) verify(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	p, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known, nil
}

type parsedHash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

// parsePHC reads a hash that we, or a later version of us, wrote. Costs far above
// ours are refused: they would stop the service.
func parsePHC(hash string) (p parsedHash, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, fmt.Errorf("a stored password hash is not argon2id in PHC form")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, fmt.Errorf("the costs of a stored password hash: %w", err)
	}
	if p.memory < 8 || p.memory > 256<<10 || p.passes < 1 || p.passes > 16 || p.lanes < 1 || p.lanes > 16 {
		return p, fmt.Errorf("a stored password hash has costs m=%d t=%d p=%d", p.memory, p.passes, p.lanes)
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, fmt.Errorf("the salt of a stored password hash: %w", err)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, fmt.Errorf("a stored password hash: %w", err)
	}
	if len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64 {
		return p, fmt.Errorf("a stored password hash of %d bytes with a salt of %d", len(p.key), len(p.salt))
	}
	return p, nil
}

// validPassword refuses what is guessed first.
func validPassword(name, password string) error {
	refuse := func(detail string) error {
		return pratique.Errorf(pratique.CodeInvalid, "%s", detail).WithRemedy("choose at least %d characters that nobody would guess: some unrelated words do well", minPassword)
	}
	lower := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password):
		return refuse("the password is not UTF-8")
	case utf8.RuneCountInString(password) < minPassword:
		return refuse(fmt.Sprintf("the password has fewer than %d characters", minPassword))
	case len(password) > maxPassword:
		return refuse(fmt.Sprintf("the password is longer than %d bytes", maxPassword))
	case strings.Contains(lower, strings.ToLower(name)) || strings.Contains(lower, "pratique"):
		return refuse("the password holds the user's or the product's name")
	case distinct(password) < 5:
		return refuse("the password repeats too few characters")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// AdministratorName is that of the user who exists from the first start on.
const AdministratorName = "admin"

// EnsureAdministrator makes the first user when there is none, and returns the
// one-time password, which is to be shown once and is kept nowhere. It returns ""
// when the user exists already.
func EnsureAdministrator(ctx context.Context, users UserStore) (password string, err error) {
	password = oneTime()
	made, err := ensureAdministrator(ctx, users, password, true)
	if !made {
		password = ""
	}
	return password, err
}

// EnsureAdministratorIs makes the administrator with a password that is known
// already and need not be changed, if there is none: for demonstrations, whose
// data is nobody's.
func EnsureAdministratorIs(ctx context.Context, users UserStore, password string) error {
	_, err := ensureAdministrator(ctx, users, password, false)
	return err
}

func ensureAdministrator(ctx context.Context, users UserStore, password string, mustSet bool) (made bool, err error) {
	if _, _, err := users.UserByName(ctx, AdministratorName); pratique.CodeOf(err) != pratique.CodeNotFound {
		return false, err
	}
	hash, err := newHasher().hash(ctx, password)
	if err != nil {
		return false, err
	}
	_, err = users.CreateUser(ctx, pratique.User{Name: AdministratorName, Role: RoleAdmin, MustSet: mustSet}, hash)
	if pratique.CodeOf(err) == pratique.CodeConflict { // another process was quicker, and told its password
		return false, nil
	}
	return err == nil, err
}

// oneTime is a password of 130 random bits in groups that can be typed.
func oneTime() string {
	text := strings.ToLower(rand.Text())
	var groups []string
	for len(text) > 5 {
		groups, text = append(groups, text[:5]), text[5:]
	}
	return strings.Join(append(groups, text), "-")
}
