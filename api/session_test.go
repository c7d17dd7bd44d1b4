package api

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func TestOneTimePasswordHasToBeChanged(t *testing.T) {
	v := start(t)
	p := v.person()
	var info SessionInfo
	a := p.want(http.StatusOK, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": v.password}, &info)
	if !info.User.MustSet || len(info.Rights) != 0 {
		t.Errorf("signed in with a one-time password: %+v", info)
	}
	cookie := a.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure || len(cookie.Value) != 43 {
		t.Errorf("cookie %+v", cookie)
	}
	if got := p.want(http.StatusForbidden, "GET", "/api/v1/registries", nil, nil).problem(t); got.Code != codePasswordChange {
		t.Errorf("code %s", got.Code)
	}
	for _, bad := range []string{"short", "adminadminadmin", strings.Repeat("a", 40), "pratique-pratique", v.password, strings.Repeat("abcdefgh", 33)} {
		p.want(http.StatusUnprocessableEntity, "PUT", "/api/v1/session/password", map[string]string{"current": v.password, "password": bad}, nil)
	}
	other := v.person()
	other.want(http.StatusOK, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": v.password}, nil)
	p.want(http.StatusOK, "PUT", "/api/v1/session/password", map[string]string{"current": v.password, "password": longPassword}, &info)
	if info.User.MustSet || len(info.Rights) != len(Rights()) {
		t.Errorf("after the change: %+v", info)
	}
	p.want(http.StatusOK, "GET", "/api/v1/registries", nil, nil)
	other.want(http.StatusUnauthorized, "GET", "/api/v1/session", nil, nil)
	other.want(http.StatusUnauthorized, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": v.password}, nil)
	if again, err := EnsureAdministrator(t.Context(), v.store); again != "" || err != nil {
		t.Errorf("a second administrator: %q %v", again, err)
	}
}

func TestSessionsEnd(t *testing.T) {
	v := start(t)
	p := v.admin()
	for range 20 { // in use, beyond the idle time
		v.clock.add(30 * time.Minute)
		p.want(http.StatusOK, "GET", "/api/v1/session", nil, nil)
	}
	v.clock.add(61 * time.Minute)
	p.want(http.StatusUnauthorized, "GET", "/api/v1/session", nil, nil)

	q := v.person()
	login := map[string]string{"name": "admin", "password": longPassword}
	q.want(http.StatusOK, "POST", "/api/v1/session", login, nil)
	for range 23 {
		v.clock.add(30 * time.Minute)
		q.want(http.StatusOK, "GET", "/api/v1/session", nil, nil)
	}
	v.clock.add(31 * time.Minute) // 12 h, though it was used all the time
	q.want(http.StatusUnauthorized, "GET", "/api/v1/session", nil, nil)

	r := v.person()
	cookie := r.want(http.StatusOK, "POST", "/api/v1/session", login, nil).Cookies()[0]
	r.want(http.StatusNoContent, "DELETE", "/api/v1/session", nil, nil)
	r.want(http.StatusUnauthorized, "GET", "/api/v1/session", nil, nil, "Cookie", cookie.Name+"="+cookie.Value)
	var users []pratique.AuditEntry
	page, err := v.store.Notes(t.Context(), pratique.AuditFilter{Action: "login"}, pratique.PageRequest{})
	if users = page.Items; err != nil || len(users) != 3 {
		t.Errorf("audit of sign-ins: %v %+v", err, users)
	}
}

func TestDisabledUserIsOut(t *testing.T) {
	v := start(t)
	p := v.admin()
	var u pratique.User
	p.want(http.StatusOK, "GET", "/api/v1/users/me", nil, &u)
	u.Disabled = true
	if err := v.store.SetUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	p.want(http.StatusUnauthorized, "GET", "/api/v1/session", nil, nil)
	a := p.want(http.StatusUnauthorized, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": longPassword}, nil)
	if got := a.problem(t); got.Code != codeWrongCredentials {
		t.Errorf("a disabled user is told apart: %+v", got)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	v := start(t)
	p := v.person()
	wrong := map[string]string{"name": "nobody", "password": "wrong"}
	for range freeTries {
		p.want(http.StatusUnauthorized, "POST", "/api/v1/session", wrong, nil)
	}
	a := p.want(http.StatusTooManyRequests, "POST", "/api/v1/session", wrong, nil)
	if wait, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || wait < 1 || a.problem(t).Code != pratique.CodeRateLimited {
		t.Errorf("Retry-After %q: %s", a.Header.Get("Retry-After"), a.body)
	}
	v.clock.add(time.Second)
	p.want(http.StatusUnauthorized, "POST", "/api/v1/session", wrong, nil)
	v.clock.add(time.Second) // twice as long now
	p.want(http.StatusTooManyRequests, "POST", "/api/v1/session", wrong, nil)
	v.clock.add(triesForget + time.Second)
	p.want(http.StatusOK, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": v.password}, nil)
}

func TestThrottle(t *testing.T) {
	c := &clock{t: time.Now()}
	th := newThrottle(c.now)
	var passed int
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 100 { // at once, from one /64, at 100 accounts
		wg.Go(func() {
			if th.attempt("user"+strconv.Itoa(i), netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})) == 0 {
				mu.Lock()
				defer mu.Unlock()
				passed++
			}
		})
	}
	wg.Wait()
	if passed != freeTries {
		t.Errorf("%d attempts at once got through, want %d", passed, freeTries)
	}
	// An account that was guessed at from many addresses: its owner waits a minute
	// at most.
	for i := range 40 {
		for th.attempt("victim", netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})) > 0 {
			c.add(time.Second)
		}
	}
	if wait := th.attempt("VICTIM", netip.MustParseAddr("192.0.2.1")); wait <= 0 || wait > accountWait {
		t.Errorf("the owner waits %s", wait)
	}
	c.add(accountWait)
	if wait := th.attempt("victim", netip.MustParseAddr("192.0.2.1")); wait != 0 {
		t.Errorf("after the wait: %s", wait)
	}
	th.succeeded("victim", netip.MustParseAddr("192.0.2.1"))
	if wait := th.attempt("victim", netip.MustParseAddr("192.0.2.1")); wait != 0 {
		t.Errorf("after a success: %s", wait)
	}
	for i := range maxTries + 1000 {
		th.attempt(strconv.Itoa(i), netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}))
		if i%5000 == 0 {
			c.add(time.Minute)
		}
	}
	if n := len(th.entries); n > maxTries+2 {
		t.Errorf("%d entries", n)
	}
}

func TestWorkIsTheSameForUnknownUsers(t *testing.T) {
	h := newHasher()
	hash, err := h.hash(t.Context(), longPassword)
	if err != nil {
		t.Fatal(err)
	}
	took := func(hash string) time.Duration {
		best := time.Hour
		for range 3 {
			began := time.Now()
			if ok, err := h.verify(t.Context(), hash, "wrong"); ok || err != nil {
				t.Fatalf("%v %v", ok, err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	known, unknown := took(hash), took("")
	if known > 3*unknown || unknown > 3*known {
		t.Errorf("a user who exists takes %s, another %s", known, unknown)
	}
	if ok, err := h.verify(t.Context(), hash, longPassword); !ok || err != nil {
		t.Errorf("the right password: %v %v", ok, err)
	}
	t.Logf("one hash takes %s", known)
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=32768,t=3,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c2FsdA$a2V5")
	f.Add("$argon2i$v=19$$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err == nil && (p.memory > 256<<10 || p.passes > 16 || p.lanes == 0 || len(p.key) > 64) {
			t.Errorf("%q is accepted as %+v", s, p)
		}
	})
}
