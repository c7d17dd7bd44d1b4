package pratique

import "time"

// User is a person, or a program with a password, that may use the service.
type User struct {
	ID       int64      `json:"id"`
	Name     string     `json:"name"` // unique, lower case
	Role     string     `json:"role"` // "admin"
	Disabled bool       `json:"disabled"`
	MustSet  bool       `json:"mustSet"` // the password is a one-time one
	Created  time.Time  `json:"created"`
	Updated  time.Time  `json:"updated"`
	LastSeen *time.Time `json:"lastSeen,omitempty"`
}

// AuditEntry is one deed of a user, or of somebody who tried to be one.
type AuditEntry struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	User      string    `json:"user"`
	Action    string    `json:"action"` // "registry.create", "login.failed"
	Target    string    `json:"target,omitempty"`
	Address   string    `json:"address,omitempty"` // of the client
	RequestID string    `json:"requestID,omitempty"`
	Detail    string    `json:"detail,omitempty"`
}

// AuditFilter narrows the audit log.
type AuditFilter struct {
	User   string    `json:"user,omitempty"`
	Action string    `json:"action,omitempty"` // a whole action, or its beginning up to a dot
	Search string    `json:"search,omitempty"`
	At     TimeRange `json:"at,omitzero"`
}
