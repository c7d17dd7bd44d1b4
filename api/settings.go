package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// SettingsKeeper keeps what administrators change while the service runs.
type SettingsKeeper interface {
	Settings(ctx context.Context) (scan.Settings, error)
	KeepSettings(ctx context.Context, v scan.Settings) error
}

// Settings are what an administrator can change while the service runs.
type Settings struct {
	SyncWindow         SyncWindow `json:"syncWindow" doc:"When registries are synchronised every day"`
	ScanOnSync         bool       `json:"scanOnSync" doc:"Scan what a synchronisation found: of a full one the newest tag of each repository, else every new image"`
	ScanOnSyncExcept   []int64    `json:"scanOnSyncExcept" maxItems:"10000" doc:"Registries for which it is the other way round"`
	PurgeGoneDays      int        `json:"purgeGoneDays" minimum:"0" maximum:"3650" doc:"Rows that are gone from their registry for so long are removed; 0 keeps them"`
	ScanTimeoutSeconds int        `json:"scanTimeoutSeconds" minimum:"10" maximum:"86400" doc:"For one image, unless a request says otherwise"`
	FeedsEveryHours    int        `json:"feedsEveryHours" minimum:"0" maximum:"2160" doc:"How often feeds are updated; 0 is by hand only"`
	AutoAdopt          bool       `json:"autoAdopt" doc:"Put new feeds in force by themselves; else somebody looks at what they would change, and adopts them"`
}

// SyncWindow is a time of every day. One that ends before it begins ends on the
// next day.
type SyncWindow struct {
	Enabled bool   `json:"enabled"`
	From    string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"00:00"`
	To      string `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"03:00"`
	Zone    string `json:"zone" maxLength:"64" doc:"As the IANA names it, empty for the server's; days of the overview begin in it" example:"Asia/Shanghai"`
}

func settingsOf(v scan.Settings) Settings {
	return Settings{SyncWindow(v.SyncWindow), v.ScanOnSync, v.ScanOnSyncExcept, v.PurgeGoneDays, v.ScanTimeoutSeconds, v.FeedsEveryHours, v.AutoAdopt}
}

func (v Settings) record() scan.Settings {
	return scan.Settings{
		SyncWindow: scan.Window(v.SyncWindow), ScanOnSync: v.ScanOnSync, ScanOnSyncExcept: v.ScanOnSyncExcept, PurgeGoneDays: v.PurgeGoneDays,
		ScanTimeoutSeconds: v.ScanTimeoutSeconds, FeedsEveryHours: v.FeedsEveryHours, AutoAdopt: v.AutoAdopt,
	}
}

func (s *server) settingsOperations() {
	handle(s, operation{id: "getSettings", method: http.MethodGet, path: "/settings", tag: "settings", right: RightAdminister, summary: "The service's settings"},
		func(ctx context.Context, _ *struct{}) (*body[Settings], error) {
			v, err := s.Settings.Settings(ctx)
			return &body[Settings]{settingsOf(v)}, err
		})
	handle(s, operation{id: "setSettings", method: http.MethodPut, path: "/settings", tag: "settings", right: RightAdminister,
		summary: "Change the service's settings", detail: "All of them; they count at once."},
		func(ctx context.Context, in *struct{ Body Settings }) (*body[Settings], error) {
			record := in.Body.record()
			if err := record.Validate(); err != nil {
				return nil, fieldProblem("body", err)
			}
			if err := s.Settings.KeepSettings(ctx, record); err != nil {
				return nil, err
			}
			kept, err := json.Marshal(record)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "settings.change", "", string(kept))
			return &body[Settings]{settingsOf(record)}, nil
		})
}

// zone is the one named, else the one in which the installation's days begin.
func (s *server) zone(ctx context.Context, name string) (*time.Location, error) {
	if name == "" {
		v, err := s.Settings.Settings(ctx)
		if err != nil {
			return nil, err
		}
		return v.SyncWindow.Location()
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fieldProblem("query.zone", pratique.Errorf(pratique.CodeInvalid, "%q is no time zone", bounded(name, 40)).WithRemedy("write it as Europe/Berlin or Asia/Shanghai"))
	}
	return zone, nil
}
