package cli

import (
	"context"
	"encoding/json"
	"strings"

	"gatehouse"
	"gatehouse/adminapi"
)

// versionArg reads TEAM/NAME@VERSION, with #REVISION where it is allowed. Where
// only the version is missing, the error names those there are.
func (a *App) versionArg(ctx context.Context, text string) (adminapi.VersionPath, string, error) {
	team, name, version, revision := gatehouse.ParseVersionRef(text, "")
	if team != "" && name != "" && version != "" {
		return adminapi.VersionPath{Team: team, Name: name, Version: version}, revision, nil
	}
	var all []string
	if team != "" && name != "" {
		var err error
		if all, err = a.versionsOf(ctx, team, name); gatehouse.Is(err, gatehouse.NotFound) {
			return adminapi.VersionPath{}, "", err
		}
	}
	if len(all) == 0 { // also where no server tells
		return adminapi.VersionPath{}, "", misuse("%q does not name an API version; TEAM/NAME@VERSION will do, such as payments/orders@v1", text)
	}
	ids := make([]string, len(all))
	for i, v := range all {
		ids[i] = team + "/" + name + "@" + v
	}
	return adminapi.VersionPath{}, "", misuse("%q names no version; there is %s", text, strings.Join(ids, ", "))
}

// versionsOf are the versions of an API, as its document lists them.
func (a *App) versionsOf(ctx context.Context, team, name string) ([]string, error) {
	api, err := a.connect()
	if err != nil {
		return nil, err
	}
	o, err := api.Get(ctx, gatehouse.KindAPI, team, name, adminapi.GetOptions{})
	if err != nil {
		return nil, err
	}
	return versionNames(o.Body.Spec)
}

func versionNames(spec json.RawMessage) (names []string, err error) {
	var s struct{ Versions []struct{ Name string } }
	if err := json.Unmarshal(spec, &s); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading the versions of an API: %w", err)
	}
	for _, v := range s.Versions {
		names = append(names, v.Name)
	}
	return names, nil
}
