package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
	"gatehouse/jsonx"
)

// termFlags say how a revision is to come in.
type termFlags struct {
	at, canary, stopOn, override string
	every                        string
	requests                     int64
}

func (t *termFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&t.at, "at", "", "when, RFC 3339, \"2027-01-31 06:00\" by this machine's clock, or from now, \"+2h\"")
	f.StringVar(&t.canary, "canary", "", "come in steps: percent of the callers, \"5,25,50\"")
	f.StringVar(&t.every, "every", "", "how long a step of the canary lasts, \"10m\"")
	f.StringVar(&t.stopOn, "stop-on", "", "bounds that end the canary, \"errors>2%,p95>500ms\"")
	f.Int64Var(&t.requests, "requests", 0, "requests that a step waits for before it is judged or ends")
	f.StringVar(&t.override, "override", "", "why a freeze does not hold for it")
}

func (t *termFlags) read(note string) (adminapi.ReleaseTerms, error) {
	out := adminapi.ReleaseTerms{Note: note, Override: t.override}
	var err error
	if t.at != "" {
		if out.At, err = ahead(t.at, time.Now()); err != nil {
			return out, err
		}
	}
	if t.canary == "" {
		if t.every != "" || t.stopOn != "" || t.requests != 0 {
			return out, misuse("--every, --stop-on and --requests belong to --canary")
		}
		return out, nil
	}
	if t.every == "" {
		return out, misuse("--every says how long a step of the canary lasts, such as 10m")
	}
	plan := &gatehouse.CanaryPlan{Requests: t.requests}
	if plan.Every, err = jsonx.ParseDuration(t.every); err != nil {
		return out, misuse("--every: %v", err)
	}
	for _, s := range strings.Split(t.canary, ",") {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(s), "%"))
		if err != nil {
			return out, misuse("--canary: %q is not a number of percent; 5,25,50 will do", s)
		}
		plan.Steps = append(plan.Steps, n)
	}
	if plan.StopOn, err = bounds(t.stopOn); err != nil {
		return out, err
	}
	out.Canary = plan
	return out, nil
}

// ahead reads a moment that is to come.
func ahead(text string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		d, err := jsonx.ParseDuration(rest)
		if err != nil {
			return now, misuse("--at: %v", err)
		}
		return now.Add(d.Std()).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	for _, form := range []string{"2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t.UTC(), nil
		}
	}
	return now, misuse("--at: %q is neither a moment such as \"2027-01-31 06:00\" or \"2027-01-31T06:00:00Z\" nor a time from now such as \"+2h\"", text)
}

// bounds reads "errors>2%,p95>500ms".
func bounds(text string) (all []gatehouse.CanaryBound, err error) {
	if text == "" {
		return nil, nil
	}
	for _, part := range strings.Split(text, ",") {
		name, limit, ok := strings.Cut(strings.ReplaceAll(part, " ", ""), ">")
		b := gatehouse.CanaryBound{Measure: name}
		switch {
		case !ok:
			err = misuse("--stop-on: %q is no bound; errors>2%% or p95>500ms will do", part)
		case name == "errors":
			b.Over, err = strconv.ParseFloat(strings.TrimSuffix(limit, "%"), 64)
		default:
			var d jsonx.Duration
			d, err = jsonx.ParseDuration(limit)
			b.Over = float64(d.Std()) / float64(time.Millisecond)
		}
		if err != nil {
			return nil, misuse("--stop-on: %q: %v", part, err)
		}
		all = append(all, b)
	}
	return all, nil
}

// stepCanary is a command that steps into a release on its way.
func (a *App) stepCanary(verb, what string, do func(*client.Client, context.Context, adminapi.CanaryRequest) (*adminapi.ReleaseAnswer, error)) *cobra.Command {
	var env, reason string
	var wait time.Duration
	c := &cobra.Command{
		Use: verb + " TEAM/API@VERSION", Args: exactly(1, "one API version"), Short: what,
		RunE: func(c *cobra.Command, args []string) error {
			v, _, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			if env == "" {
				return misuse("--env says which environment")
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			in := adminapi.CanaryRequest{VersionPath: v}
			in.Body.Environment, in.Body.Reason = env, reason
			out, err := do(api, c.Context(), in)
			if err != nil {
				return err
			}
			if verb == "cancel" {
				return a.show(out.Body, func() table { return scheduleTable([]gatehouse.ReleaseSchedule{*out.Body.Schedule}) }, func() []string { return args })
			}
			return a.released(c.Context(), v, out.Body, wait)
		},
	}
	c.Flags().StringVar(&env, "env", "", "environment")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().DurationVar(&wait, "wait", stepTime, "how long to wait for the gateways; 0 does not wait")
	return c
}

// settle waits until the connected gateways have taken the change: where a
// canary ends, the revision beside it was live all along.
func (a *App) settle(ctx context.Context, seq int64, wait time.Duration) error {
	if seq == 0 || wait < time.Second {
		return nil
	}
	api, err := a.connect()
	if err != nil {
		return err
	}
	_, err = api.GetRollout(ctx, adminapi.RolloutRequest{Seq: seq, Wait: int(min(wait, 5*time.Second) / time.Second)})
	return err
}

// canaryLine says where a canary stands.
func canaryLine(k *gatehouse.Canary) string {
	text := fmt.Sprintf("canary %s takes %d %% of the callers: step %d of %d", short(k.Revision), k.Weight(), k.Step+1, len(k.Steps))
	if k.State == gatehouse.CanaryPaused {
		text += ", paused"
	}
	if k.Waits != "" {
		text += ", waits: " + k.Waits
	}
	return text
}

func (a *App) listSchedules() *cobra.Command {
	var in adminapi.ListSchedulesRequest
	c := &cobra.Command{
		Use: "list", Args: exactly(0, "nothing"), Short: "List scheduled releases",
		Long: "List scheduled releases by their time: those that wait, and what became of the last of\neach API version and environment.",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.connect()
			if err != nil {
				return err
			}
			out, err := api.ListSchedules(c.Context(), in)
			if err != nil {
				return err
			}
			if out.Body.Next != "" {
				a.note("there are more: --after %s", out.Body.Next)
			}
			return a.show(out.Body, func() table { return scheduleTable(out.Body.Items) }, func() (names []string) {
				for _, s := range out.Body.Items {
					names = append(names, s.Environment+" "+s.API+"@"+s.Version)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&in.Team, "team", "", "only of this team")
	c.Flags().StringVar(&in.Environment, "env", "", "only into this environment")
	c.Flags().StringVar(&in.State, "state", "", "only those that are waiting, awaiting, done, skipped or cancelled")
	c.Flags().IntVar(&in.Limit, "limit", 100, "how many at most")
	c.Flags().StringVar(&in.After, "after", "", "cursor from the page before")
	return c
}

func scheduleTable(all []gatehouse.ReleaseSchedule) table {
	t := table{heads: []string{"api", "environment", "revision", "at", "state", "by", "reason"}}
	for _, s := range all {
		t.add(s.API+"@"+s.Version, s.Environment, short(s.Revision), s.At.Format(time.RFC3339), s.State, s.By, s.Reason)
	}
	return t
}

func (a *App) pastReleases() *cobra.Command {
	var in adminapi.ListReleasesRequest
	c := &cobra.Command{
		Use: "history TEAM/API@VERSION", Args: exactly(1, "one API version"), Short: "List what was released into an environment, with the notes",
		RunE: func(c *cobra.Command, args []string) error {
			v, _, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			if in.Environment == "" {
				return misuse("--env says which environment")
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			in.VersionPath = v
			out, err := api.ListReleases(c.Context(), in)
			if err != nil {
				return err
			}
			if out.Body.Next != "" {
				a.note("there are more: --after %s", out.Body.Next)
			}
			return a.show(out.Body, func() table { return pastTable(out.Body.Items) }, func() (names []string) {
				for _, r := range out.Body.Items {
					names = append(names, r.Revision)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&in.Environment, "env", "", "environment")
	c.Flags().IntVar(&in.Limit, "limit", 100, "how many at most")
	c.Flags().StringVar(&in.After, "after", "", "cursor from the page before")
	return c
}

func pastTable(items []adminapi.ReleaseItem) table {
	t := table{heads: []string{"changed", "state", "revision", "canary", "by", "note"}}
	for _, r := range items {
		state, canary := r.State, ""
		if r.Withdrawn {
			state = "withdrawn"
		}
		if k := r.Canary; k != nil {
			canary, r.By, r.Note = short(k.Revision)+" "+strconv.Itoa(k.Weight())+"%", k.By, k.Note
		} else if e := r.CanaryEnded; e != nil {
			canary, r.By, r.Note = short(e.Revision)+" sent back", e.By, e.Reason
		}
		t.add(r.Changed.Format(time.RFC3339), state, short(r.Revision), canary, r.By, r.Note)
	}
	return t
}
