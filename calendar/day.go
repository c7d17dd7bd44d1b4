package calendar

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines without their own tables, too

	"github.com/pratique/pratique"
)

// Day is a day of the calendar, wherever it is one: days since 1970-01-01.
type Day int

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, pratique.Errorf(pratique.CodeInvalid, "%.20q is no day", s).WithRemedy("write it as YYYY-MM-DD")
	}
	return DayOf(t), nil
}

// DayOf is the day on which t falls, in t's own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d Day) midnight() time.Time   { return time.Unix(int64(d)*86400, 0).UTC() }
func (d Day) add(n int) Day         { return d + Day(n) }
func (d Day) sub(o Day) int         { return int(d - o) }
func (d Day) weekday() time.Weekday { return d.midnight().Weekday() }
func (d Day) String() string        { return d.midnight().Format(time.DateOnly) }

// TimeOfDay is what the clock on the wall shows, in minutes after midnight.
type TimeOfDay int

// ParseTimeOfDay reads HH:MM.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, pratique.Errorf(pratique.CodeInvalid, "%.20q is no time of day", s).WithRemedy("write it as HH:MM, 00:00 to 23:59")
	}
	return TimeOfDay(t.Hour()*60 + t.Minute()), nil
}

func (t TimeOfDay) valid() bool    { return 0 <= t && t < 24*60 }
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t/60, t%60) }

// ParseWeekday reads the first three letters of a day's English name.
func ParseWeekday(s string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if s == WeekdayName(d) {
			return d, nil
		}
	}
	return 0, pratique.Errorf(pratique.CodeInvalid, "%.20q is no day of the week", s).WithRemedy("choose some of mon, tue, wed, thu, fri, sat, sun")
}

// WeekdayName is "mon" for Monday.
func WeekdayName(d time.Weekday) string { return strings.ToLower(d.String()[:3]) }

// LoadZone finds a zone by its IANA name.
func LoadZone(name string) (*time.Location, error) {
	// "Local" is the server's own, which is another one on another server.
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, unknownZone(name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknownZone(name)
	}
	return zone, nil
}

func unknownZone(name string) error {
	return pratique.Errorf(pratique.CodeInvalid, "there is no time zone %.64q", name).WithRemedy("use a name of the IANA database, such as Europe/Berlin, Asia/Shanghai or UTC")
}
