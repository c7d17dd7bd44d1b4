package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/pratique/pratique"
)

// PreferenceStore keeps what users choose for themselves: columns, language,
// theme. A value is JSON, null when it is not set.
type PreferenceStore interface {
	Preference(ctx context.Context, userID int64, name string) (json.RawMessage, error)
	SetPreference(ctx context.Context, userID int64, name string, value json.RawMessage) error
}

// PreferenceName is in the path. It is exported because huma does not look into
// embedded types that are not.
type PreferenceName struct {
	Name string `path:"name" pattern:"^[a-z][a-zA-Z0-9.-]{0,63}$" doc:"Chosen by the console" example:"columns.images"`
}

type preferenceInput struct {
	PreferenceName
	Body json.RawMessage `doc:"Any JSON; null removes it"`
}

func (s *server) preferenceOperations() {
	handle(s, operation{id: "getPreference", method: http.MethodGet, path: "/preferences/{name}", tag: "preferences", right: RightSelf,
		summary: "A preference of one's own", detail: "null when it is not set."},
		func(ctx context.Context, in *PreferenceName) (*body[json.RawMessage], error) {
			value, err := s.Preferences.Preference(ctx, exchangeOf(ctx).session.user.ID, in.Name)
			if err != nil {
				return nil, err
			}
			if value == nil {
				value = json.RawMessage("null")
			}
			return &body[json.RawMessage]{value}, nil
		})
	handle(s, operation{id: "setPreference", method: http.MethodPut, path: "/preferences/{name}", tag: "preferences", right: RightSelf, status: http.StatusNoContent,
		summary: "Set a preference of one's own"},
		func(ctx context.Context, in *preferenceInput) (*struct{}, error) {
			if !json.Valid(in.Body) {
				return nil, fieldProblem("body", pratique.Errorf(pratique.CodeInvalid, "the body is not JSON"))
			}
			return nil, s.Preferences.SetPreference(ctx, exchangeOf(ctx).session.user.ID, in.Name, in.Body)
		})
}
