package scan

import (
	"context"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// Settings are what an administrator changes while the service runs.
type Settings struct {
	// SyncWindow is when registries are synchronised every day.
	SyncWindow Window `json:"syncWindow"`
	// ScanOnSync scans what a synchronisation found: of a full one the newest tag of
	// each repository, else every new image. Except are registries for which it is the
	// other way round.
	ScanOnSync       bool    `json:"scanOnSync"`
	ScanOnSyncExcept []int64 `json:"scanOnSyncExcept"`
	// PurgeGoneDays is after how many days rows that are gone from their registry are
	// removed; 0 keeps them.
	PurgeGoneDays int `json:"purgeGoneDays"`
	// ScanTimeoutSeconds bounds one image's scan unless somebody says otherwise.
	ScanTimeoutSeconds int `json:"scanTimeoutSeconds"`
	// FeedsEveryHours is how often feeds are updated; 0 is by hand only.
	FeedsEveryHours int `json:"feedsEveryHours"`
	// AutoAdopt puts new feeds in force by themselves; else somebody looks at what
	// they would change, and adopts them.
	AutoAdopt bool `json:"autoAdopt"`
}

// Window is a time of every day. From and To are written 15:04; a window that
// ends before it begins ends on the next day.
type Window struct {
	Enabled bool   `json:"enabled"`
	From    string `json:"from"`
	To      string `json:"to"`
	// Zone is a name of the IANA's data base ("Asia/Shanghai"); "" is the server's. Days
	// begin and end in it.
	Zone string `json:"zone"`
}

// DefaultSettings are in force until somebody changes them.
func DefaultSettings() Settings {
	return Settings{
		SyncWindow:         Window{Enabled: true, From: "00:00", To: "03:00"},
		ScanOnSyncExcept:   []int64{},
		PurgeGoneDays:      30,
		ScanTimeoutSeconds: int(pratique.DefaultScanTimeout / time.Second),
		FeedsEveryHours:    24,
		AutoAdopt:          true,
	}
}

// Limits of settings.
const (
	maxTimeout   = 24 * time.Hour
	maxPurgeDays = 3650
	maxFeedHours = 24 * 90
)

// Validate says what is wrong.
func (s Settings) Validate() error {
	invalid := func(format string, args ...any) *pratique.Error {
		return pratique.Errorf(pratique.CodeInvalid, format, args...)
	}
	if _, err := s.SyncWindow.Location(); err != nil {
		return err
	}
	from, err := clock(s.SyncWindow.From)
	if err != nil {
		return err
	}
	to, err := clock(s.SyncWindow.To)
	if err != nil {
		return err
	}
	switch {
	case from == to:
		return invalid("a window that closes when it opens is never open").WithRemedy("give it two different times, such as 00:00 and 03:00")
	case s.PurgeGoneDays < 0 || s.PurgeGoneDays > maxPurgeDays:
		return invalid("rows cannot be kept for %d days", s.PurgeGoneDays).WithRemedy("give 1 to %d days, or 0 to keep them", maxPurgeDays)
	case s.ScanTimeoutSeconds < 10 || s.ScanTimeoutSeconds > int(maxTimeout/time.Second):
		return invalid("a scan cannot be given %d seconds", s.ScanTimeoutSeconds).WithRemedy("give 10 seconds to 24 hours")
	case s.FeedsEveryHours < 0 || s.FeedsEveryHours > maxFeedHours:
		return invalid("feeds cannot be updated every %d hours", s.FeedsEveryHours).WithRemedy("give 1 to %d hours, or 0 for by hand only", maxFeedHours)
	case len(s.ScanOnSyncExcept) > 10_000:
		return invalid("more than 10000 registries are excepted").WithRemedy("turn the setting round")
	}
	return nil
}

// Location is the window's zone.
func (w Window) Location() (*time.Location, error) {
	if w.Zone == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return time.UTC, pratique.Errorf(pratique.CodeInvalid, "%.60q is not a time zone", w.Zone).WithRemedy("write one such as Europe/Berlin or Asia/Shanghai, or leave it empty for the server's")
	}
	return zone, nil
}

// Times are the window's ends, after midnight.
func (w Window) Times() (from, to time.Duration, err error) {
	if from, err = clock(w.From); err != nil {
		return 0, 0, err
	}
	to, err = clock(w.To)
	return from, to, err
}

func clock(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, pratique.Errorf(pratique.CodeInvalid, "%.20q is not a time of day", s).WithRemedy("write it as 00:00 to 23:59")
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// scansAfterSync tells whether a registry's new images are scanned.
func (s Settings) scansAfterSync(registryID int64) bool {
	return s.ScanOnSync != slices.Contains(s.ScanOnSyncExcept, registryID)
}

// timeout is the default one.
func (s Settings) timeout() time.Duration { return time.Duration(s.ScanTimeoutSeconds) * time.Second }

// SettingStore keeps values of the installation by name.
type SettingStore interface {
	// Setting leaves v as it is when there is none of that name.
	Setting(ctx context.Context, name string, v any) error
	SetSetting(ctx context.Context, name string, v any) error
}

const settingService = "service"

// SettingsOf reads the settings; those that nobody changed are as in defaults.
func SettingsOf(ctx context.Context, store SettingStore, defaults Settings) (Settings, error) {
	s := defaults
	err := store.Setting(ctx, settingService, &s)
	return s, err
}

// KeepSettings replaces them.
func KeepSettings(ctx context.Context, store SettingStore, s Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return store.SetSetting(ctx, settingService, s)
}
