package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse"
	"gatehouse/adminapi"
)

// completeTime is how long completion waits for a server; a shell must not hang.
const completeTime = time.Second

// maxCompleted bounds what is asked for and offered.
const maxCompleted = 500

// complete gives every command what its arguments and flags may be: kinds from
// the program, names from the server where one answers.
func (a *App) complete(c *cobra.Command) {
	if c.ValidArgsFunction == nil && c.Runnable() {
		c.ValidArgsFunction = a.arguments(strings.Fields(c.Use)[1:])
	}
	offer := func(flag string, what func(ctx context.Context, typed string) []string) {
		if c.LocalFlags().Lookup(flag) != nil {
			// An error is a second function for the flag, which is as good.
			_ = c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
				return what(c.Context(), typed), cobra.ShellCompDirectiveNoFileComp
			})
		}
	}
	for flag, kind := range map[string]gatehouse.Kind{
		"env": gatehouse.KindEnvironment, "from": gatehouse.KindEnvironment, "to": gatehouse.KindEnvironment, "team": gatehouse.KindTeam,
		"app": gatehouse.KindApplication, "product": gatehouse.KindProduct, "gateway": gatehouse.KindGateway,
	} {
		if c.Name() == "query" || c.Name() == "usage" {
			if flag == "from" || flag == "to" {
				continue // moments there
			}
		}
		offer(flag, func(ctx context.Context, typed string) []string { return a.names(ctx, kind, typed) })
	}
	if f := c.LocalFlags().Lookup("output"); f != nil && strings.HasPrefix(f.Usage, "table") {
		offer("output", func(context.Context, string) []string { return forms })
	}
	if f := c.LocalFlags().Lookup("context"); f != nil {
		offer("context", func(context.Context, string) []string { return a.savedNames() })
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "filter" || f.Name == "sort" || f.Name == "note" || f.Name == "reason" || f.Name == "token" {
			offer(f.Name, func(context.Context, string) []string { return nil })
		}
	})
	for _, sub := range c.Commands() {
		a.complete(sub)
	}
}

// arguments completes by what the usage line calls each argument.
func (a *App) arguments(words []string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) >= len(words) {
			return nil, none
		}
		word := strings.TrimPrefix(words[len(args)], "[")
		word, suffix, _ := strings.Cut(strings.TrimSuffix(word, "]"), "[") // TEAM/API[@VERSION]
		names := func(kind gatehouse.Kind) ([]string, cobra.ShellCompDirective) {
			return a.names(c.Context(), kind, typed), none
		}
		switch {
		case strings.HasPrefix(word, "FILE"), strings.HasPrefix(word, "PATH"), strings.HasPrefix(word, "-f"):
			return nil, cobra.ShellCompDirectiveDefault
		case word == "KIND":
			return kindNames(), none
		case word == "TEAM/NAME":
			if k, ok := gatehouse.Info(args[0]); ok {
				return names(k.Kind)
			}
		case word == "TEAM/API@VERSION":
			return a.versions(c.Context(), typed), none
		case word == "TEAM/API" && suffix == "@VERSION":
			if strings.Contains(typed, "@") {
				return a.versions(c.Context(), typed), none
			}
			return names(gatehouse.KindAPI)
		case word == "TEAM/PRODUCT":
			return names(gatehouse.KindProduct)
		case word == "TEAM/SUBSCRIPTION":
			return names(gatehouse.KindSubscription)
		case word == "TEAM":
			return names(gatehouse.KindTeam)
		case word == "GATEWAY":
			return names(gatehouse.KindGateway)
		case word == "NAME" && (c.Name() == "context" || c.Name() == "logout"):
			return a.savedNames(), none
		case strings.HasPrefix(word, "NAME") && c.Parent() != nil && c.Parent().Name() == "framework":
			return names(gatehouse.KindFramework)
		}
		return nil, none
	}
}

func kindNames() []string {
	names := make([]string, len(gatehouse.Kinds))
	for i, k := range gatehouse.Kinds {
		names[i] = strings.TrimSuffix(k.Plural, "s")
	}
	return names
}

func (a *App) savedNames() (names []string) {
	s, err := a.saved()
	if err != nil {
		return nil
	}
	for name := range s.Contexts {
		names = append(names, name)
	}
	return names
}

// objects are the first of a kind whose name begins as was typed; none where no
// server answers in time.
func (a *App) objects(ctx context.Context, kind gatehouse.Kind, typed string) []adminapi.ObjectBody {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	api, err := a.connect()
	if err != nil {
		return nil
	}
	name, _, _ := strings.Cut(typed, "@")
	page, err := api.List(ctx, kind, "", adminapi.PageRequest{Prefix: name, Limit: maxCompleted}, "")
	if err != nil {
		return nil
	}
	return page.Body.Items
}

func (a *App) names(ctx context.Context, kind gatehouse.Kind, typed string) (names []string) {
	for _, o := range a.objects(ctx, kind, typed) {
		names = append(names, o.Metadata.Ref())
	}
	return names
}

func (a *App) versions(ctx context.Context, typed string) (names []string) {
	for _, o := range a.objects(ctx, gatehouse.KindAPI, typed) {
		all, err := versionNames(o.Spec)
		if err != nil {
			continue
		}
		for _, v := range all {
			names = append(names, o.Metadata.Ref()+"@"+v)
		}
	}
	return names
}
