package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pratique/pratique"
)

// UserStore keeps users.
type UserStore interface {
	// User returns one by its id, UserByName by its name with the hash of the
	// password; both CodeNotFound.
	User(ctx context.Context, id int64) (pratique.User, error)
	UserByName(ctx context.Context, name string) (u pratique.User, hash string, err error)
	// CreateUser is CodeConflict when the name is taken.
	CreateUser(ctx context.Context, u pratique.User, hash string) (pratique.User, error)
	// SetPassword replaces the hash, and ends the sessions that were bound to the
	// user, but for one.
	SetPassword(ctx context.Context, id int64, hash string, mustSet bool, keepSession string) error
	TouchUser(ctx context.Context, id int64) error
	BindSession(ctx context.Context, token string, userID int64) error
}

// SessionStore keeps sessions by a hash of their token: who reads the store must
// not be able to use them.
type SessionStore interface {
	FindCtx(ctx context.Context, token string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error
	DeleteCtx(ctx context.Context, token string) error
}

// sessionData is what is kept.
type sessionData struct {
	UserID  int64     `json:"user"`
	Stamp   time.Time `json:"stamp"` // the user's Updated: a new password or role ends all sessions before
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // to a minute
	Expires time.Time `json:"expires"`
}

// session is the one of a request.
type session struct {
	sessionData
	token string
	user  pratique.User
}

const (
	cookieScheme  = "session"
	cookieName    = "pratique"
	secureCookie  = "__Host-pratique" // browsers take it over TLS only, for this host only
	tokenBytes    = 32
	touchInterval = time.Minute
)

func cookieFor(secure bool) string {
	if secure {
		return secureCookie
	}
	return cookieName
}

func newToken() string {
	b := make([]byte, tokenBytes)
	rand.Read(b) //nolint: never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func signInProblem() *Problem {
	return newProblem(http.StatusUnauthorized, codeSignIn, "nobody is signed in").withRemedy("sign in: POST " + basePath + "/session")
}

// current is the session of a request.
func (s *server) current(r *http.Request) (*session, error) {
	x := exchangeOf(r.Context())
	cookie, err := r.Cookie(cookieFor(x.secure))
	if err != nil || len(cookie.Value) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return nil, signInProblem()
	}
	return s.resume(r.Context(), cookie.Value)
}

// resume finds a session that is still good.
func (s *server) resume(ctx context.Context, token string) (*session, error) {
	x, err := s.find(ctx, token)
	if err != nil {
		return nil, err
	}
	x.user, err = s.Users.User(ctx, x.UserID)
	if pratique.CodeOf(err) == pratique.CodeNotFound || err == nil && (x.user.Disabled || !x.user.Updated.Equal(x.Stamp)) {
		return nil, signInProblem()
	}
	if err != nil {
		return nil, err
	}
	if s.now().Sub(x.Seen) >= touchInterval {
		return x, s.touch(ctx, x)
	}
	return x, nil
}

func (s *server) find(ctx context.Context, token string) (*session, error) {
	data, found, err := s.Sessions.FindCtx(ctx, token)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, signInProblem()
	}
	x := &session{token: token}
	if err := json.Unmarshal(data, &x.sessionData); err != nil {
		return nil, fmt.Errorf("a stored session: %w", err)
	}
	now := s.now()
	if !now.Before(x.Expires) || !now.Before(x.Created.Add(s.SessionLife)) {
		return nil, signInProblem()
	}
	return x, nil
}

// touch notes that a session is in use. Signing out takes the same lock, so that
// a session which ended meanwhile is not made again.
func (s *server) touch(ctx context.Context, x *session) error {
	s.ending.Lock()
	defer s.ending.Unlock()
	if _, err := s.find(ctx, x.token); err != nil {
		return err
	}
	now := s.now()
	x.Seen, x.Expires = now, earlier(now.Add(s.SessionIdle), x.Created.Add(s.SessionLife))
	if err := s.commit(ctx, x); err != nil {
		return err
	}
	return s.Users.TouchUser(ctx, x.user.ID)
}

func (s *server) commit(ctx context.Context, x *session) error {
	data, err := json.Marshal(x.sessionData)
	if err != nil {
		return err
	}
	return s.Sessions.CommitCtx(ctx, x.token, data, x.Expires)
}

func (s *server) end(ctx context.Context, token string) error {
	s.ending.Lock()
	defer s.ending.Unlock()
	return s.Sessions.DeleteCtx(ctx, token)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// open makes a session, and its cookie.
func (s *server) open(ctx context.Context, user pratique.User) (*session, *http.Cookie, error) {
	now := s.now()
	x := &session{token: newToken(), user: user, sessionData: sessionData{
		UserID: user.ID, Stamp: user.Updated, Created: now, Seen: now, Expires: now.Add(min(s.SessionIdle, s.SessionLife)),
	}}
	if err := s.commit(ctx, x); err != nil {
		return nil, nil, err
	}
	if err := s.Users.BindSession(ctx, x.token, user.ID); err != nil {
		return nil, nil, err
	}
	if err := s.Users.TouchUser(ctx, user.ID); err != nil {
		return nil, nil, err
	}
	return x, s.cookie(ctx, x.token, s.SessionLife), nil
}

func (s *server) cookie(ctx context.Context, value string, life time.Duration) *http.Cookie {
	secure := exchangeOf(ctx).secure
	return &http.Cookie{
		Name: cookieFor(secure), Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// SessionInfo is who is signed in, and for how long.
type SessionInfo struct {
	User    pratique.User `json:"user"`
	Rights  []Right       `json:"rights" doc:"Empty until a one-time password was changed"`
	Created time.Time     `json:"created"`
	Expires time.Time     `json:"expires" doc:"Unless the session is used before"`
	Ends    time.Time     `json:"ends" doc:"However much it is used"`
	Demo    bool          `json:"demo" doc:"This is a demonstration: images, advisories and credentials are made up"`
	Event   string        `json:"event" doc:"The last event so far: whoever listens after it misses nothing of what changes from now on"`
}

func (s *server) info(x *session) SessionInfo {
	rights := []Right{}
	if !x.user.MustSet {
		rights = append(rights, rightsOf(x.user.Role)...)
	}
	return SessionInfo{User: x.user, Rights: rights, Created: x.Created, Expires: x.Expires, Ends: x.Created.Add(s.SessionLife), Demo: s.Demo, Event: s.Events.newest()}
}

type sessionOutput struct {
	SetCookie *http.Cookie `header:"Set-Cookie"`
	Body      SessionInfo
}

type signInInput struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"128"`
		Password string `json:"password" minLength:"1" maxLength:"256" format:"password"`
	}
}

func (s *server) sessionOperations() {
	handle(s, operation{id: "signIn", method: http.MethodPost, path: "/session", tag: "session", right: RightNone,
		summary: "Sign in", detail: "Sets the session's cookie. After some wrong passwords, 429 with Retry-After."}, s.signIn)
	handle(s, operation{id: "getSession", method: http.MethodGet, path: "/session", tag: "session", right: RightSelf,
		summary: "Who is signed in, and what they may do"},
		func(ctx context.Context, _ *struct{}) (*body[SessionInfo], error) {
			return &body[SessionInfo]{s.info(exchangeOf(ctx).session)}, nil
		})
	handle(s, operation{id: "signOut", method: http.MethodDelete, path: "/session", tag: "session", right: RightSelf, status: http.StatusNoContent,
		summary: "Sign out"}, s.signOut)
	handle(s, operation{id: "setPassword", method: http.MethodPut, path: "/session/password", tag: "session", right: RightSelf,
		summary: "Change one's own password", detail: "Ends all other sessions of the user, and renews this one."}, s.setPassword)
	handle(s, operation{id: "getMe", method: http.MethodGet, path: "/users/me", tag: "users", right: RightSelf,
		summary: "The user who is signed in"},
		func(ctx context.Context, _ *struct{}) (*body[pratique.User], error) {
			return &body[pratique.User]{exchangeOf(ctx).session.user}, nil
		})
}

func wrongCredentials() *Problem {
	return newProblem(http.StatusUnauthorized, codeWrongCredentials, "the name or the password is wrong").withRemedy("check both, and the keyboard's layout")
}

// check verifies a name and password. All that a stranger can see of a name that
// does not exist, or is disabled, is what a wrong password looks like.
func (s *server) check(ctx context.Context, name, password string) (pratique.User, error) {
	x := exchangeOf(ctx)
	if wait := s.throttle.attempt(name, x.address); wait > 0 {
		s.metrics.logins.WithLabelValues("limited").Inc()
		return pratique.User{}, newProblem(http.StatusTooManyRequests, pratique.CodeRateLimited, "too many wrong passwords").
			withRemedy("wait, and try again").withRetry(wait)
	}
	user, hash, err := s.Users.UserByName(ctx, name)
	if err != nil && pratique.CodeOf(err) != pratique.CodeNotFound {
		return pratique.User{}, err
	}
	if user.Disabled {
		hash = ""
	}
	ok, err := s.hasher.verify(ctx, hash, password)
	if err != nil {
		return pratique.User{}, err
	}
	if !ok {
		s.metrics.logins.WithLabelValues("wrong").Inc()
		return pratique.User{}, wrongCredentials()
	}
	s.throttle.succeeded(name, x.address)
	s.metrics.logins.WithLabelValues("ok").Inc()
	return user, nil
}

func (s *server) signIn(ctx context.Context, in *signInInput) (*sessionOutput, error) {
	user, err := s.check(ctx, in.Body.Name, in.Body.Password)
	if err != nil {
		s.audit(ctx, bounded(in.Body.Name, 128), "login.failed", "", string(problemOf(err).Code))
		return nil, err
	}
	made, cookie, err := s.open(ctx, user)
	if err != nil {
		return nil, err
	}
	exchangeOf(ctx).user = user.Name
	s.audit(ctx, user.Name, "login.ok", "", "")
	return &sessionOutput{SetCookie: cookie, Body: s.info(made)}, nil
}

type signOutOutput struct {
	SetCookie *http.Cookie `header:"Set-Cookie"`
}

func (s *server) signOut(ctx context.Context, _ *struct{}) (*signOutOutput, error) {
	x := exchangeOf(ctx).session
	if err := s.end(ctx, x.token); err != nil {
		return nil, err
	}
	s.audit(ctx, x.user.Name, "logout", "", "")
	return &signOutOutput{SetCookie: s.cookie(ctx, "", -time.Second)}, nil
}

type setPasswordInput struct {
	Body struct {
		Current  string `json:"current" minLength:"1" maxLength:"256" format:"password"`
		Password string `json:"password" minLength:"1" maxLength:"256" format:"password"`
	}
}

func (s *server) setPassword(ctx context.Context, in *setPasswordInput) (*sessionOutput, error) {
	x := exchangeOf(ctx).session
	if err := validPassword(x.user.Name, in.Body.Password); err != nil {
		return nil, fieldProblem("body.password", err)
	}
	if in.Body.Password == in.Body.Current {
		return nil, fieldProblem("body.password", pratique.Errorf(pratique.CodeInvalid, "the new password is the current one").WithRemedy("choose another"))
	}
	if _, err := s.check(ctx, x.user.Name, in.Body.Current); err != nil {
		s.audit(ctx, x.user.Name, "password.failed", "", string(problemOf(err).Code))
		return nil, currentPassword(err)
	}
	hash, err := s.hasher.hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	if err := s.Users.SetPassword(ctx, x.user.ID, hash, false, ""); err != nil {
		return nil, err
	}
	user, err := s.Users.User(ctx, x.user.ID)
	if err != nil {
		return nil, err
	}
	made, cookie, err := s.open(ctx, user)
	if err != nil {
		return nil, err
	}
	s.audit(ctx, x.user.Name, "password.changed", "", "")
	return &sessionOutput{SetCookie: cookie, Body: s.info(made)}, nil
}

// currentPassword says "wrong password" at its field: 401 would mean that the
// session is over.
func currentPassword(err error) error {
	if p := problemOf(err); p.Code == codeWrongCredentials {
		return fieldProblem("body.current", pratique.Errorf(pratique.CodeInvalid, "the current password is wrong").WithRemedy("type the password that you signed in with"))
	}
	return err
}
