package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/attest"
	"gatehouse/client"
)

// maxAttestation bounds a file of an attestation, in bytes.
const maxAttestation = 16 << 20

func (a *App) gateVerify() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use: "verify FILE", Args: exactly(1, "one file"), Short: "Verify an attestation or an evidence pack, without a server",
		Long: `Verify that an attestation was signed by the installation and says what it said,
and that it has not ended. FILE is what "gatehouse gate show -o json" printed, or
the attestation in it; "-" reads standard input. --key is the file of public keys
that "gatehouse gate keys" printed, kept from a moment when the server was
trusted; without it the server is asked for them.

A pack for an auditor, as "gatehouse gate evidence" wrote it, is verified whole:
hashes, signatures, approvals, attestations, waivers, events and evidence. Without
--key its own keys are used, which shows that it is whole, and not whose it is.

The exit status is 0 when it holds, 1 when it does not.`,
		Example: "  gatehouse gate keys > keys.json\n  gatehouse gate verify attestation.json --key keys.json",
		RunE: func(c *cobra.Command, args []string) error {
			if isPack(args[0]) {
				return a.verifyPack(args[0], key)
			}
			at, err := a.attestation(args[0])
			if err != nil {
				return err
			}
			keys, err := a.trusted(c.Context(), key)
			if err != nil {
				return err
			}
			return a.verified(args[0], at, keys)
		},
	}
	c.Flags().StringVar(&key, "key", "", "file of public keys, as gatehouse gate keys prints them")
	return c
}

// attestation reads an attestation, alone or in the answer it came in.
func (a *App) attestation(file string) (*gatehouse.Attested, error) {
	data, err := a.file(file)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading attestation %q: %w", file, err)
	}
	var in struct {
		Attestation json.RawMessage `json:"attestation"`
		Statement   json.RawMessage `json:"statement"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading attestation %q: %w", file, err)
	}
	switch {
	case len(in.Statement) > 0:
	case len(in.Attestation) > 0:
		data = in.Attestation
	default:
		return nil, gatehouse.E(gatehouse.Invalid, "reading attestation %q: there is no attestation in it", file)
	}
	at := new(gatehouse.Attested)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // what is not understood is not vouched for
	if err := d.Decode(at); err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading attestation %q: %w", file, err)
	}
	return at, nil
}

func (a *App) file(name string) ([]byte, error) {
	in := a.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxAttestation+1))
	if err == nil && len(data) > maxAttestation {
		err = fmt.Errorf("it has more than %d bytes", maxAttestation)
	}
	return data, err
}

// trusted are the public keys that are trusted: those of a file, or the server's.
func (a *App) trusted(ctx context.Context, file string) (*adminapi.GateKeysBody, error) {
	if file == "" {
		out, err := ask(a, ctx, (*client.Client).GetGateKeys, adminapi.Empty{})
		if err != nil {
			return nil, gatehouse.E(gatehouse.KindOf(err), "asking for the public keys: %w; --key FILE verifies without a server", err)
		}
		return &out.Body, nil
	}
	data, err := a.file(file)
	keys := new(adminapi.GateKeysBody)
	if err == nil {
		err = json.Unmarshal(data, keys)
	}
	if err == nil && len(keys.Keys) == 0 {
		err = errors.New(`there is no key in it; "gatehouse gate keys" prints them`)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading keys %q: %w", file, err)
	}
	return keys, nil
}

// verified shows what a statement says, if it holds.
func (a *App) verified(file string, at *gatehouse.Attested, keys *adminapi.GateKeysBody) error {
	s := &at.Statement
	if err := proven(at, keys); err != nil {
		return gatehouse.E(gatehouse.Conflict, "verifying %q: %w", file, err)
	}
	if err := a.show(at, func() table {
		t := table{heads: []string{"api", "environment", "revision", "framework", "outcome", "controls", "issued", "expires"}}
		t.add(s.API+"@"+s.Version, s.Environment, short(s.Revision), s.Framework+"@"+s.FrameworkVersion, s.Outcome, fmt.Sprint(len(s.Controls)), minute(s.Issued), minute(s.Expires))
		return t
	}, func() []string { return []string{s.ID} }); err != nil {
		return err
	}
	switch {
	case !at.Revoked.IsZero():
		return gatehouse.E(gatehouse.Conflict, "verifying %q: it is genuine, and was revoked %s by %s: %s", file, day(at.Revoked), at.RevokedBy, at.Reason)
	case !time.Now().Before(s.Expires):
		return gatehouse.E(gatehouse.Conflict, "verifying %q: it is genuine, and ended %s", file, minute(s.Expires))
	}
	a.note("genuine: signed by installation %s with key %s; whether it was revoked since, a file cannot tell", s.Installation, at.KeyID)
	return nil
}

// proven reports why the attestation is not one of the installation.
func proven(at *gatehouse.Attested, keys *adminapi.GateKeysBody) error {
	if keys.Installation != "" && at.Statement.Installation != keys.Installation {
		return fmt.Errorf("it is of installation %q; the keys are of %q", at.Statement.Installation, keys.Installation)
	}
	for _, k := range keys.Keys {
		if k.ID == at.KeyID {
			return at.Attestation.Verify(ed25519.PublicKey(k.PublicKey))
		}
	}
	return fmt.Errorf("it is signed with key %q, which is none of the keys: %w", at.KeyID, attest.ErrUnknownKey)
}

func (a *App) gateKeys() *cobra.Command {
	return &cobra.Command{
		Use: "keys", Args: exactly(0, "no argument"), Short: "Print the public keys that prove attestations",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetGateKeys, adminapi.Empty{})
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.output = "json" // a file for verify
			}
			return a.show(out.Body, nil, func() (ids []string) {
				for _, k := range out.Body.Keys {
					ids = append(ids, k.ID)
				}
				return ids
			})
		},
	}
}
