package pratique

import (
	"errors"
	"fmt"
)

// Code says what kind of thing went wrong, so that programs can act on it and
// pages can translate it. The set only grows; a code never changes its meaning.
type Code string

const (
	CodeInvalid      Code = "invalid"      // the request makes no sense as it stands
	CodeNotFound     Code = "not_found"    // the image, file, feed or advisory does not exist
	CodeUnauthorized Code = "unauthorized" // credentials are missing, wrong or lack a right
	CodeRateLimited  Code = "rate_limited" // the other side asked for patience
	CodeUnreachable  Code = "unreachable"  // no answer, or not the answer of such a server
	CodeCorrupt      Code = "corrupt"      // content that contradicts its digest or its format
	CodeUnsupported  Code = "unsupported"  // understood, and not something that we can read
	CodeLimit        Code = "limit"        // larger, deeper or more than we agree to read
	CodeDisk         Code = "disk"         // no space, or no right to write
	CodeCancelled    Code = "cancelled"    // somebody stopped it
	CodeTimeout      Code = "timeout"      // it took longer than was allowed
	CodeConflict     Code = "conflict"     // the name is taken, or somebody else changed it meanwhile
	CodeQuota        Code = "quota"        // contents have no licence, and not enough units are left; its cause is a Shortage
	CodeInternal     Code = "internal"     // a fault of ours
)

// Error is an error that a user may see: what happened, in one line, and what
// to do about it. Message and Remedy never hold a credential.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`          // one line, no trailing full stop
	Remedy  string `json:"remedy,omitempty"` // one line that tells what to do next
	Cause   error  `json:"-"`
}

// Errorf returns an Error. As with fmt.Errorf, an argument of %w becomes its cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Cause: errors.Unwrap(err)}
}

// WithRemedy adds what to do next and returns e.
func (e *Error) WithRemedy(format string, args ...any) *Error {
	e.Remedy = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of the outermost Error in err's chain: CodeInternal
// when there is none, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// Problem is something in an image, or about what is known, that kept a scan
// from being complete. A scan with problems still has a report.
type Problem struct {
	Code     Code   `json:"code"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy,omitempty"`
	Analyzer string `json:"analyzer,omitempty"` // who met it
	Path     string `json:"path,omitempty"`     // the file, when it was one file
	Layer    *int   `json:"layer,omitempty"`    // index into Report.Layers
	// Partial is set when facts are missing because of it: a package database
	// that cannot be read, a limit, an unreadable layer. The categories that
	// depend on it are then "partial", never "complete". A malformed file that
	// only might have named a package is told, but does not count.
	Partial bool `json:"partial,omitempty"`
}
