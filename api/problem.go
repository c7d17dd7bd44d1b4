package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pratique/pratique"
)

// Codes of this package, beside those of [pratique.Code].
const (
	codeSignIn           pratique.Code = "sign_in_required"
	codeWrongCredentials pratique.Code = "wrong_credentials"
	codeForbidden        pratique.Code = "forbidden"
	codePasswordChange   pratique.Code = "password_change_required"
	codeCrossOrigin      pratique.Code = "cross_origin"
	codeMethod           pratique.Code = "method_not_allowed"
	codeTooLarge         pratique.Code = "too_large"
	codeMediaType        pratique.Code = "unsupported_media_type"
	codeTimeout          pratique.Code = "timeout"
	codeUnavailable      pratique.Code = "unavailable"
)

// Problem is the body of every answer that is no success (RFC 9457, media type
// application/problem+json).
type Problem struct {
	Type      string         `json:"type" doc:"Names the code as a URI reference" example:"/problems/not_found"`
	Title     string         `json:"title" doc:"The status in words"`
	Status    int            `json:"status" doc:"The HTTP status"`
	Detail    string         `json:"detail,omitempty" doc:"What happened, in one line"`
	Code      pratique.Code  `json:"code" doc:"Stable; programs and translations go by it"`
	Params    map[string]any `json:"params,omitempty" doc:"Values that belong to the code, for translations"`
	Remedy    string         `json:"remedy,omitempty" doc:"What to do about it"`
	RequestID string         `json:"requestID,omitempty" doc:"Finds the request in the service's log"`
	Errors    []FieldError   `json:"errors,omitempty" doc:"Where in the request"`

	header http.Header
	cause  error // for the log only
}

// FieldError is one fault of a request. The value is never repeated: it may be a
// password.
type FieldError struct {
	Location string `json:"location" doc:"As in body.name, query.limit, path.id"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy,omitempty"`
}

func (p *Problem) Error() string           { return p.Detail }
func (p *Problem) Unwrap() error           { return p.cause }
func (p *Problem) GetStatus() int          { return p.Status }
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is asked by huma when it writes the document.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

func newProblem(status int, code pratique.Code, detail string) *Problem {
	return &Problem{Type: "/problems/" + string(code), Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func (p *Problem) withRemedy(remedy string) *Problem {
	p.Remedy = remedy
	return p
}

func (p *Problem) withParam(name string, value any) *Problem {
	if p.Params == nil {
		p.Params = map[string]any{}
	}
	p.Params[name] = value
	return p
}

// withRetry says when to come back.
func (p *Problem) withRetry(wait time.Duration) *Problem {
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set("Retry-After", strconv.Itoa(seconds))
	return p.withParam("retryAfter", seconds)
}

// fieldProblem is a request with one field that makes no sense.
func fieldProblem(location string, err error) *Problem {
	p := problemOf(err)
	p.Errors = append(p.Errors, FieldError{Location: location, Message: p.Detail, Remedy: p.Remedy})
	return p
}

// statusOf maps codes to HTTP statuses. A code that the other side of ours
// deserves (a registry that wants a password) is not the client's fault: such
// errors come from operations that talk to others, which are 502.
func statusOf(code pratique.Code) int {
	switch code {
	case pratique.CodeInvalid, pratique.CodeUnsupported:
		return http.StatusUnprocessableEntity
	case pratique.CodeNotFound:
		return http.StatusNotFound
	case pratique.CodeConflict, pratique.CodeCancelled, pratique.CodeQuota:
		return http.StatusConflict
	case pratique.CodeLimit:
		return http.StatusRequestEntityTooLarge
	case pratique.CodeRateLimited:
		return http.StatusTooManyRequests
	case pratique.CodeUnauthorized, pratique.CodeCorrupt:
		return http.StatusBadGateway
	case pratique.CodeUnreachable:
		return http.StatusServiceUnavailable
	case pratique.CodeDisk:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// problemOf says what a client may know of an error. Of an error without a code,
// that is nothing.
func problemOf(err error) *Problem {
	var (
		problem *Problem
		known   *pratique.Error
	)
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &known) && known.Code != pratique.CodeInternal:
		p := newProblem(statusOf(known.Code), known.Code, known.Message).withRemedy(known.Remedy)
		// An error that wraps another of ours with %w has its text in its own: it is
		// meant to be read. One that wraps a driver's error has the driver's text.
		if foreign(known.Cause) {
			p.Detail = withoutCause(known)
		}
		p.cause = err
		var short *pratique.Shortage
		if errors.As(err, &short) {
			p.withParam("needed", short.Needed).withParam("left", short.Left)
		}
		return p
	case errors.Is(err, context.DeadlineExceeded):
		p := newProblem(http.StatusServiceUnavailable, codeTimeout, "the answer took too long").withRemedy("ask for less, or try again later")
		p.cause = err
		return p
	}
	p := newProblem(http.StatusInternalServerError, pratique.CodeInternal, "something went wrong inside the service").
		withRemedy("look for the request id in the service's log")
	p.cause = err
	return p
}

// foreign tells whether an error is not one that was written to be shown.
func foreign(err error) bool {
	var own *pratique.Error
	return err != nil && !errors.As(err, &own)
}

// withoutCause is the message up to the text of the cause.
func withoutCause(e *pratique.Error) string {
	cut, found := strings.CutSuffix(e.Message, e.Cause.Error())
	if !found {
		return e.Message
	}
	return strings.TrimRight(cut, ": ")
}

// convert is huma's transformer: it turns huma's own errors into Problems, and
// gives each Problem its request's id.
func convert(ctx huma.Context, _ string, v any) (any, error) {
	switch v := v.(type) {
	case *huma.ErrorModel:
		return seal(ctx.Context(), fromHuma(v)), nil
	case *Problem:
		return seal(ctx.Context(), v), nil
	}
	return v, nil
}

// seal adds the id, and notes for the log what the client is not told.
func seal(ctx context.Context, p *Problem) *Problem {
	x := exchangeOf(ctx)
	told := *p
	told.RequestID = x.id
	x.code = string(p.Code)
	if p.cause != nil {
		x.err = p.cause
	}
	return &told
}

// maxFieldErrors of one answer.
const maxFieldErrors = 20

func fromHuma(e *huma.ErrorModel) *Problem {
	var p *Problem
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		p = newProblem(e.Status, codeTooLarge, "the body of the request is too large").withRemedy("send less at once")
	case http.StatusUnsupportedMediaType:
		p = newProblem(e.Status, codeMediaType, "the body of the request is not JSON").withRemedy("send Content-Type: application/json")
	case http.StatusRequestTimeout:
		p = newProblem(e.Status, codeTimeout, "the body of the request came too slowly").withRemedy("try again over a faster connection")
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		p = newProblem(e.Status, pratique.CodeInvalid, "the request makes no sense as it stands").withRemedy("correct the fields that are named; /openapi.json describes them")
		for _, d := range e.Errors[:min(len(e.Errors), maxFieldErrors)] {
			if d != nil {
				p.Errors = append(p.Errors, FieldError{Location: d.Location, Message: bounded(d.Message, 200)})
			}
		}
		if len(p.Errors) == 0 {
			p.Detail = e.Detail
		}
	case http.StatusNotAcceptable:
		p = newProblem(e.Status, codeMediaType, "there is no answer in the wanted format").withRemedy("accept application/json")
	default:
		// huma could not read the body: the client went away, or sent too much.
		for _, d := range e.Errors {
			if d != nil && strings.Contains(d.Message, "request body too large") {
				return newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "the body of the request is too large").withRemedy("send less at once")
			}
		}
		p = newProblem(e.Status, pratique.CodeInternal, "something went wrong inside the service").withRemedy("look for the request id in the service's log")
		p.cause = e
	}
	return p
}

// bounded cuts s to n bytes at most, between characters.
func bounded(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	p = seal(r.Context(), p)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		exchangeOf(r.Context()).log.Debug("the answer was not taken", slog.Any("error", err))
	}
}
