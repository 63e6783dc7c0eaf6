// Package pack is what an auditor takes away: everything that proves a framework
// was approved and is obeyed, in one ZIP archive with a signed list of hashes,
// to be verified by anyone with no server running.
//
// A [Writer] streams a pack; package control/governance/proof brings what goes
// in. [Verify] reads one back and believes nothing of it: each hash, each
// signature, who approved what, and how the events hang together.
package pack

import (
	"archive/zip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"time"

	"gatehouse/jsonx"
)

// Format names this form of packs; a reader refuses any other.
const Format = "gatehouse/evidence/1"

// Where things lie in a pack. Files ending in .jsonl have one JSON value a line.
const (
	ReadmeFile       = "README.txt"
	ManifestFile     = "manifest.json"
	SignatureFile    = "manifest.sig" // Ed25519 over the manifest's bytes, hexadecimal
	KeysFile         = "keys.json"    // public keys, as at /.well-known/gatehouse-keys.json
	StateFile        = "framework/state.json"
	TextDir          = "framework/text/"     // <version>.json, word for word
	DocumentDir      = "framework/document/" // <version>.md and .html, as approved
	RulesetDir       = "framework/rulesets/" // <SHA-256>
	DecisionsFile    = "framework/decisions.jsonl"
	CommentsFile     = "framework/comments.jsonl"
	AttestationsFile = "gate/attestations.jsonl"
	ResultsFile      = "gate/results.jsonl"
	WaiversFile      = "gate/waivers.jsonl"
	AnswersFile      = "gate/answers.jsonl"
	PoliciesFile     = "gate/policies.jsonl" // the chain of each operation
	EventsDir        = "audit/"              // <what>.jsonl, in the order of the trail
	EvidenceFile     = "evidence/index.jsonl"
	EvidenceDir      = "evidence/files/" // <SHA-256>
)

// A Manifest lists what is in a pack.
type Manifest struct {
	Format       string    `json:"format"`
	Installation string    `json:"installation"`
	Framework    string    `json:"framework"`
	Environment  string    `json:"environment,omitempty"` // the only one; "" for all
	Created      time.Time `json:"created"`
	By           string    `json:"by"` // who asked for it
	// Seq is the state of the installation that everything is of, and Trail the
	// last event on record then.
	Seq   int64  `json:"seq"`
	Trail Mark   `json:"trail"`
	KeyID string `json:"keyId"` // of the signature
	// Missing is evidence that is named and is not there any more.
	Missing []string `json:"missing,omitempty"`
	Files   []File   `json:"files"` // all but the manifest and its signature
}

// A Mark is one event of the trail.
type Mark struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// A File is one entry of a pack.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Keys are an installation's public keys, as it publishes them.
type Keys struct {
	Installation string `json:"installation"`
	Keys         []Key  `json:"keys"`
}

// A Key is one public key.
type Key struct {
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"` // Ed25519
	PublicKey []byte `json:"publicKey"` // 32 bytes
}

// KeysOf are public keys by id.
func KeysOf(installation string, keys map[string][]byte) *Keys {
	k := &Keys{Installation: installation}
	for _, id := range sorted(keys) {
		k.Keys = append(k.Keys, Key{id, "Ed25519", keys[id]})
	}
	return k
}

// find is a key by its id, nil when there is none that can be used.
func (k *Keys) find(id string) ed25519.PublicKey {
	for _, key := range k.Keys {
		if key.ID == id && key.Algorithm == "Ed25519" && len(key.PublicKey) == ed25519.PublicKeySize {
			return key.PublicKey
		}
	}
	return nil
}

// A Writer streams a pack, one file after the other.
type Writer struct {
	Manifest
	zip  *zip.Writer
	open *entry
}

// NewWriter begins a pack.
func NewWriter(w io.Writer, m Manifest) *Writer {
	m.Format, m.Created = Format, m.Created.UTC()
	return &Writer{Manifest: m, zip: zip.NewWriter(w)}
}

type entry struct {
	file File
	sum  hash.Hash
	to   io.Writer
}

func (e *entry) Write(p []byte) (int, error) {
	n, err := e.to.Write(p)
	e.sum.Write(p[:n])
	e.file.Size += int64(n)
	return n, err
}

// Create begins a file; the one before it is complete.
func (w *Writer) Create(name string) (io.Writer, error) {
	w.finish()
	if !plain(name) {
		return nil, fmt.Errorf("%q cannot be the name of a file in a pack", name)
	}
	to, err := w.raw(name)
	if err != nil {
		return nil, err
	}
	w.open = &entry{file: File{Path: name}, sum: sha256.New(), to: to}
	return w.open, nil
}

func (w *Writer) raw(name string) (io.Writer, error) {
	return w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.Created})
}

// finish lists the file that is open.
func (w *Writer) finish() {
	if w.open == nil {
		return
	}
	w.open.file.SHA256 = hex.EncodeToString(w.open.sum.Sum(nil))
	w.Files = append(w.Files, w.open.file)
	w.open = nil
}

// Put adds a file with its bytes.
func (w *Writer) Put(name string, data []byte) error {
	to, err := w.Create(name)
	if err != nil {
		return err
	}
	_, err = to.Write(data)
	return err
}

// Line adds a value to the file that is open, on a line of its own.
func (w *Writer) Line(v any) error {
	if w.open == nil {
		return errors.New("no file of the pack is open")
	}
	text, err := jsonx.Canonical(v)
	if err == nil {
		_, err = w.open.Write(append(text, '\n'))
	}
	return err
}

// Close ends the pack with its manifest, signed.
func (w *Writer) Close(keyID string, sign func(manifest []byte) []byte) error {
	w.finish()
	w.KeyID = keyID
	text, err := jsonx.Canonical(&w.Manifest)
	if err != nil {
		return err
	}
	if err := w.unlisted(ManifestFile, text); err != nil {
		return err
	}
	if err := w.unlisted(SignatureFile, []byte(hex.EncodeToString(sign(text))+"\n")); err != nil {
		return err
	}
	return w.zip.Close()
}

func (w *Writer) unlisted(name string, data []byte) error {
	to, err := w.raw(name)
	if err == nil {
		_, err = to.Write(data)
	}
	return err
}

// plain reports whether a name is one of a file below the pack's folder, in one
// way only.
func plain(name string) bool {
	return name != "" && len(name) <= 512 && name == path.Clean(name) && !path.IsAbs(name) && name != "." && name != ".." &&
		!strings.HasPrefix(name, "../") && !strings.ContainsAny(name, "\\:\x00\r\n")
}
