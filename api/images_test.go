package api

import (
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func rowName(v pratique.AssetRow) string { return v.Repository + ":" + v.Tag }

func TestImages(t *testing.T) {
	e := newEstate(t)
	const v0, v1, v2, v3, db, dev, old = "team/app:v0", "team/app:v1", "team/app:v2", "team/app:v3", "lib/db:1", "tool:dev", "tool:old"
	stamp := func(d time.Duration) string { return built.Add(d).Format(time.RFC3339) }
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	shows(e, rowName, map[string][]string{
		"/images":                                       {db, v0, v1, v2, v3, dev, old},
		"/images?status=not_scanned,failed":             {v2, v3},
		"/images?risk=at_risk":                          {db, v0, dev, old},
		"/images?risk=none":                             {v1},
		"/images?risk=unknown":                          {v2, v3},
		"/images?riskKind=malware":                      {dev},
		"/images?riskKind=secret,vulnerability":         {db, v0, dev, old},
		"/images?severity=critical":                     {db, v0},
		"/images?kind=harbor":                           {db, dev, old},
		"/images?registry=" + id(e.alpha.ID):            {v0, v1, v2, v3},
		"/images?namespace=lib":                         {db},
		"/images?os=debian":                             {db, v0, v1, dev, old},
		"/images?arch=arm64":                            nil,
		"/images?newest=true":                           {db, v3, dev},
		"/images?running=true":                          nil,
		"/images?highPriority=true":                     {db, dev},
		"/images?recommended=true":                      {v3},
		"/images?fixable=true":                          {db, v0},
		"/images?mustFix=true":                          {db, v0},
		"/images?gone=true":                             nil,
		"/images?licensed=true":                         nil,
		"/images?licensed=false&newest=true":            {db, v3, dev},
		"/images?vulnerability=CVE-2024-0001":           {db, v0},
		"/images?package=zlib":                          {v1},
		"/images?minSize=1002&maxSize=1003":             {v2, v3},
		"/images?createdFrom=" + stamp(7*time.Hour):     {dev, old},
		"/images?createdTo=" + stamp(time.Hour):         {db, v0},
		"/images?scannedFrom=" + tomorrow:               nil,
		"/images?scannedTo=" + tomorrow:                 {db, v0, v1, dev, old},
		"/images?syncedFrom=" + tomorrow:                nil,
		"/images?syncedTo=" + tomorrow + "&newest=true": {db, v3, dev},
		"/images?pushedFrom=" + stamp(0):                nil,
		"/images?pushedDays=7":                          nil,
		"/images?search=TEAM+v1":                        {v1},
		"/images?search=harbor.example":                 {db, dev, old},
		"/images?search=" + contentID(0).Hex()[:20]:     {db, v0},
		"/images?imageID=" + string(contentID(0)):       {db, v0},
		"/images?sort=size":                             {v0, db, v1, v2, v3, old, dev},
		"/images?sort=-critical&limit=2":                {db, v0},
		"/images?sort=-malware&limit=1":                 {dev},
		"/images?sort=-secrets&limit=2":                 {dev, old},
		"/images?sort=-created&limit=3":                 {dev, old, v3},
	})
	var row pratique.AssetRow
	e.want(200, "GET", "/api/v1/images/3", nil, &row)
	if rowName(row) != v2 || row.ScanError == nil || row.ScanError.Remedy != "look" {
		t.Errorf("%+v", row)
	}
	shows(e, rowName, map[string][]string{
		"/images?id=1,2,3&exclude=2": {v0, v2}, "/images?repository=" + id(row.RepositoryID): {v0, v1, v2, v3},
	})
	if got := e.want(404, "GET", "/api/v1/images/99", nil, nil).problem(t); got.Code != pratique.CodeNotFound {
		t.Errorf("%+v", got)
	}
}
