package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/pack"
)

func (a *App) gateEvidence() *cobra.Command {
	in := adminapi.EvidencePackRequest{}
	var out string
	c := &cobra.Command{
		Use: "evidence --framework NAME --out FILE", Args: exactly(0, "no arguments but flags"), Short: "Take away everything that proves a framework, for an auditor",
		Long: `Write a pack: the framework's texts and approvals, attestations, waivers, the
policies that run, the events that belong to them and the files that were brought as
evidence, with a signed list of hashes. "gatehouse gate verify FILE" verifies it with
no server running. That a pack was taken is on record.`,
		Example: "  gatehouse gate evidence --framework corporate --out pack.zip --env prod\n  gatehouse gate verify pack.zip --key keys.json",
		RunE: func(c *cobra.Command, _ []string) error {
			if in.Name == "" || out == "" {
				return misuse("--framework says of which one, and --out where to")
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			// Whole or not at all: a pack that breaks off leaves nothing behind.
			f, err := os.CreateTemp(filepath.Dir(out), ".pack-*")
			if err != nil {
				return err
			}
			err = api.GetEvidencePack(c.Context(), in, f)
			if err == nil {
				err = f.Sync()
			}
			if err = errors.Join(err, f.Close()); err == nil {
				err = os.Rename(f.Name(), out)
			}
			if err != nil {
				err = gatehouse.E(gatehouse.KindOf(err), "%w; %s is not written", err, out)
				return errors.Join(err, os.Remove(f.Name()))
			}
			a.note("wrote %s", out)
			return nil
		},
	}
	c.Flags().StringVar(&in.Name, "framework", "", "framework")
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.Flags().StringVar(&in.Environment, "env", "", "only what is of this environment")
	return c
}

// isPack reports whether a file begins as a ZIP archive does.
func isPack(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, 2)
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == "PK"
}

// verifyPack verifies a pack with the keys of a file, or with its own for "".
func (a *App) verifyPack(file, keyFile string) error {
	keys, err := readKeys(keyFile)
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return gatehouse.E(gatehouse.Invalid, "reading the pack: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r, err := pack.Verify(f, info.Size(), keys, time.Now())
	if err != nil {
		return err
	}
	if a.output == "table" {
		a.packStory(r)
	} else if err := a.show(r, nil, func() []string { return []string{r.Manifest.Framework} }); err != nil {
		return err
	}
	if !r.OK() {
		return gatehouse.E(gatehouse.Conflict, "the pack does not hold: %s%s", r.Faults[0], more(len(r.Faults)-1))
	}
	a.note("the pack holds")
	return nil
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n)
}

// packStory tells people what was verified.
func (a *App) packStory(r *pack.Report) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(a.Out, "%-13s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	m := r.Manifest
	line("framework", "%s", m.Framework)
	line("installation", "%s", m.Installation)
	line("environment", "%s", cmp.Or(m.Environment, "all"))
	line("made", "%s by %s", m.Created.UTC().Format(time.RFC3339), m.By)
	line("signed with", "%s, SHA-256 %s", m.KeyID, r.Key)
	for _, v := range r.Versions {
		line("version", "%s", v)
	}
	c := r.Counts
	line("files", "%d", c.Files)
	line("decisions", "%d", c.Decisions)
	line("attestations", "%d, of which %d hold now", c.Attestations, c.Valid)
	line("waivers", "%d", c.Waivers)
	line("events", "%d, of which %d follow the one before", c.Events, c.Links)
	line("evidence", "%d files", c.Evidence)
	for _, n := range r.Notes {
		line("note", "%s", n)
	}
	for _, f := range r.Faults {
		line("FAULT", "%s", f)
	}
}

// readKeys reads public keys as an installation publishes them; none for "".
func readKeys(file string) (*pack.Keys, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading --key: %w", err)
	}
	keys := new(pack.Keys)
	if err := json.Unmarshal(data, keys); err != nil || len(keys.Keys) == 0 {
		return nil, gatehouse.E(gatehouse.Invalid, "%q holds no keys: fetch /.well-known/gatehouse-keys.json of the installation", file)
	}
	return keys, nil
}
