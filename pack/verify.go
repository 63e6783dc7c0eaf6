package pack

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
)

// Bounds of a pack that is read.
const (
	MaxFiles    = 100_000
	MaxManifest = 64 << 20 // bytes
	MaxFile     = 1 << 30  // bytes of one file, unpacked
	MaxTotal    = 8 << 30  // bytes of all, unpacked
	maxLine     = 4 << 20  // bytes of one JSON line
	maxFaults   = 100
)

// Verify reads a pack and says what holds. Without keys those in the pack are
// used. An error means that it cannot be read as a pack at all; what does not
// hold is in the report.
func Verify(file io.ReaderAt, size int64, keys *Keys, now time.Time) (*Report, error) {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading the pack: it is no ZIP archive, or was cut off: %w", err)
	}
	v := &verifier{Report: new(Report), keys: keys, now: now, files: map[string]*zip.File{}}
	if err := v.entries(z); err != nil {
		return nil, err
	}
	if err := v.manifest(); err != nil {
		return nil, err
	}
	v.hashes()
	v.framework()
	v.gate()
	v.trail()
	v.evidence()
	return v.Report, nil
}

type verifier struct {
	*Report
	keys  *Keys
	now   time.Time
	files map[string]*zip.File
	total int64

	state    gatehouse.FrameworkState
	texts    map[string]string // hash to version
	named    map[string]string // evidence, to what names it
	excepted map[string]gatehouse.Waiver
}

// entries takes in the names. What could lie outside of a folder, or stand for
// two things, makes it no pack.
func (v *verifier) entries(z *zip.Reader) error {
	if len(z.File) > MaxFiles {
		return gatehouse.E(gatehouse.TooLarge, "reading the pack: it holds %d files; at most %d are read", len(z.File), MaxFiles)
	}
	var total uint64
	for _, f := range z.File {
		switch {
		case !plain(f.Name):
			return gatehouse.E(gatehouse.Invalid, "reading the pack: %q is not the name of a file in a pack", f.Name)
		case !f.Mode().IsRegular():
			return gatehouse.E(gatehouse.Invalid, "reading the pack: %q is no regular file", f.Name)
		case v.files[f.Name] != nil:
			return gatehouse.E(gatehouse.Invalid, "reading the pack: %q stands in it twice", f.Name)
		case f.UncompressedSize64 > MaxFile:
			return gatehouse.E(gatehouse.TooLarge, "reading the pack: %q is larger than %d bytes", f.Name, MaxFile)
		}
		if total += f.UncompressedSize64; total > MaxTotal {
			return gatehouse.E(gatehouse.TooLarge, "reading the pack: it is larger than %d bytes", uint64(MaxTotal))
		}
		v.files[f.Name] = f
	}
	return nil
}

// read is a file's bytes, at most limit of them: what the archive says of its
// size is not believed.
func (v *verifier) read(name string, limit int64) ([]byte, error) {
	f := v.files[name]
	if f == nil {
		return nil, gatehouse.E(gatehouse.Invalid, "it has no %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "%s cannot be unpacked: %w", name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "%s cannot be unpacked: %w", name, err)
	}
	return data, nil
}

// manifest reads the list of files and verifies its signature.
func (v *verifier) manifest() error {
	text, err := v.read(ManifestFile, MaxManifest)
	if err == nil {
		err = jsonx.CheckDepth(text)
	}
	if err == nil {
		err = json.Unmarshal(text, &v.Manifest)
	}
	if err != nil {
		return gatehouse.E(gatehouse.Invalid, "reading the pack: %w", err)
	}
	if v.Manifest.Format != Format {
		return gatehouse.E(gatehouse.Invalid, "reading the pack: it is in format %q; this program reads %q", v.Manifest.Format, Format)
	}
	if v.keys == nil {
		data, err := v.read(KeysFile, 1<<20)
		v.keys = new(Keys)
		if err == nil {
			err = json.Unmarshal(data, v.keys)
		}
		if err != nil {
			return gatehouse.E(gatehouse.Invalid, "reading the pack's keys: %w", err)
		}
	} else {
		v.Trusted = true
	}
	v.signature(text)
	return nil
}

func (v *verifier) signature(manifest []byte) {
	if v.Trusted && v.keys.Installation != "" && v.keys.Installation != v.Manifest.Installation {
		v.fault("the pack is of installation %q, and the keys of %q", v.Manifest.Installation, v.keys.Installation)
	}
	key := v.keys.find(v.Manifest.KeyID)
	if key == nil {
		v.fault("the pack says that it is signed with key %q, which is not among the keys", v.Manifest.KeyID)
		return
	}
	sum := sha256.Sum256(key)
	v.Key = hex.EncodeToString(sum[:])
	text, err := v.read(SignatureFile, 1024)
	if err != nil {
		v.fault("%s", err)
		return
	}
	signature, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || !ed25519.Verify(key, manifest, signature) {
		v.fault("the manifest is not signed by the installation, or was changed since")
	}
	if !v.Trusted {
		v.note("the key came from the pack itself: compare its fingerprint with the one that the installation publishes, or give the key with --key")
	}
}

// hashes compares every file with the manifest.
func (v *verifier) hashes() {
	listed := map[string]bool{ManifestFile: true, SignatureFile: true}
	for _, f := range v.Manifest.Files {
		if listed[f.Path] {
			v.fault("%s stands in the manifest twice", f.Path)
			continue
		}
		listed[f.Path] = true
		v.hash(f)
		v.Counts.Files++
	}
	for _, name := range sorted(v.files) {
		if !listed[name] {
			v.fault("%s is in the pack and not in the manifest", name)
		}
	}
	for _, h := range v.Manifest.Missing {
		v.note("evidence %s is named and was not there any more when the pack was made", h)
	}
}

func (v *verifier) hash(f File) {
	entry := v.files[f.Path]
	if entry == nil {
		v.fault("%s is missing", f.Path)
		return
	}
	r, err := entry.Open()
	if err != nil {
		v.fault("%s cannot be unpacked: %v", f.Path, err)
		return
	}
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(r, min(f.Size, MaxFile)+1))
	v.total += n
	switch is := hex.EncodeToString(sum.Sum(nil)); {
	case err != nil:
		v.fault("%s cannot be unpacked: %v", f.Path, err)
	case v.total > MaxTotal:
		v.fault("the pack is larger than %d bytes when it is unpacked", uint64(MaxTotal))
	case n != f.Size || is != f.SHA256:
		v.fault("%s was changed: it does not have the hash that the manifest states", f.Path)
	}
}

// lines reads a file of JSON lines, each into a new value; a file that is not
// there has none.
func lines[T any](v *verifier, name string, do func(*T)) {
	f := v.files[name]
	if f == nil {
		return
	}
	r, err := f.Open()
	if err != nil {
		v.fault("%s cannot be unpacked: %v", name, err)
		return
	}
	defer r.Close()
	err = eachLine(io.LimitReader(r, MaxFile), func(n int, line []byte) {
		t := new(T)
		if err := jsonx.CheckDepth(line); err != nil {
			v.fault("%s, line %d: %v", name, n, err)
		} else if err := json.Unmarshal(line, t); err != nil {
			v.fault("%s, line %d cannot be read: %v", name, n, err)
		} else {
			do(t)
		}
	})
	if err != nil {
		v.fault("%s cannot be read: %v", name, err)
	}
}

// eachLine splits by line feeds; a line that does not end within maxLine is an
// error.
func eachLine(r io.Reader, do func(n int, line []byte)) error {
	buffer, have := make([]byte, 64<<10), 0
	for n := 1; ; {
		read, err := r.Read(buffer[have:])
		have += read
		for {
			end := bytes.IndexByte(buffer[:have], '\n')
			if end < 0 {
				break
			}
			if end > 0 {
				do(n, buffer[:end])
			}
			have = copy(buffer, buffer[end+1:have])
			n++
		}
		switch {
		case err == io.EOF && have > 0:
			do(n, buffer[:have])
			return nil
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case have == maxLine:
			return fmt.Errorf("line %d is longer than %d bytes", n, maxLine)
		case have == len(buffer):
			buffer = append(buffer, make([]byte, min(len(buffer), maxLine-len(buffer)))...)
		}
	}
}

func sorted[T any](m map[string]T) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
