package fleet

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

const (
	// installationKey is where the store keeps the installation's identity.
	installationKey = "Installation/main"
	// keyFile, in the data directory, opens it. Control-plane nodes that share
	// a database share this file.
	keyFile = "installation.key"
	// authorityLife is how long the authority's certificate holds.
	authorityLife = 20 * 365 * 24 * time.Hour
)

// An installation is what makes one Gatehouse different from another.
type installation struct {
	id        string
	authority *x509.Certificate
	caKey     *ecdsa.PrivateKey
	signKey   ed25519.PrivateKey
	signID    string
}

// record is the installation as the store keeps it; private keys are sealed.
type record struct {
	ID        string            `json:"id"`
	Authority []byte            `json:"authority"` // DER
	Keys      map[string][]byte `json:"keys"`      // public, by id
	Sealed    map[string][]byte `json:"sealed"`    // "authority", and signing keys by id
	SignWith  string            `json:"signWith"`
	Created   time.Time         `json:"created"`
}

// openInstallation reads the identity or makes it. When two nodes start at
// once on an empty database, one of them wins and the other reads.
func openInstallation(ctx context.Context, o *Options) (*installation, error) {
	rec, err := o.DB.Get(ctx, installationKey)
	if gatehouse.Is(err, gatehouse.NotFound) {
		made, err := createInstallation(ctx, o)
		if !gatehouse.Is(err, gatehouse.Conflict) {
			return made, err
		}
		rec, err = o.DB.Get(ctx, installationKey)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "reading the installation's identity: %w", err)
	}
	path := filepath.Join(o.Dir, keyFile)
	seal, err := readKey(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, gatehouse.E(gatehouse.Invalid, "this database belongs to an installation whose key is not here: copy %s from the data directory of the node that made it to %s", keyFile, path)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading %s: %w", path, err)
	}
	inst, err := unseal(rec.Value, seal)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "opening the installation's identity with %s: %w", path, err)
	}
	return inst, nil
}

func createInstallation(ctx context.Context, o *Options) (*installation, error) {
	inst, err := newInstallation(o.Now())
	if err != nil {
		return nil, err
	}
	seal, err := makeKey(filepath.Join(o.Dir, keyFile))
	if err != nil {
		return nil, gatehouse.E(gatehouse.Unavailable, "keeping the installation's key: %w", err)
	}
	value, err := inst.seal(seal, o.Now())
	if err != nil {
		return nil, err
	}
	public, err := jsonx.Marshal(map[string]string{"id": inst.id, "authority": hex.EncodeToString(inst.fingerprint())})
	if err != nil {
		return nil, err
	}
	_, err = o.Trail.Commit(ctx, audit.Act{
		Action: "installation.create", Object: "Installation " + inst.id, After: public,
		Writes: []store.Write{{Key: installationKey, Kind: "Installation", Value: value, Expect: store.Absent}},
	})
	return inst, err
}

func newInstallation(now time.Time) (*installation, error) {
	var id [12]byte
	rand.Read(id[:]) // never fails (crypto/rand)
	inst := &installation{id: hex.EncodeToString(id[:])}
	var err error
	if inst.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Gatehouse installation " + inst.id},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(authorityLife), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "Gatehouse installation " + inst.id}}, &inst.caKey.PublicKey, inst.caKey)
	if err != nil {
		return nil, err
	}
	if inst.authority, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if _, inst.signKey, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(inst.signKey.Public().(ed25519.PublicKey))
	inst.signID = hex.EncodeToString(sum[:6])
	return inst, nil
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:])
	b[0] &= 0x7f // positive (RFC 5280 §4.1.2.2)
	return new(big.Int).SetBytes(b[:])
}

func (i *installation) fingerprint() []byte {
	sum := sha256.Sum256(i.authority.Raw)
	return sum[:]
}

func (i *installation) keys() map[string][]byte {
	return map[string][]byte{i.signID: i.signKey.Public().(ed25519.PublicKey)}
}

// seal writes the record with AES-256-GCM; each secret is bound to its name
// and to the installation.
func (i *installation) seal(with cipher.AEAD, now time.Time) ([]byte, error) {
	ca, err := x509.MarshalPKCS8PrivateKey(i.caKey)
	if err != nil {
		return nil, err
	}
	close := func(name string, secret []byte) []byte {
		nonce := make([]byte, with.NonceSize())
		rand.Read(nonce)
		return with.Seal(nonce, nonce, secret, []byte(i.id+"\x00"+name))
	}
	return jsonx.Marshal(record{
		ID: i.id, Authority: i.authority.Raw, Keys: i.keys(), SignWith: i.signID, Created: now.UTC(),
		Sealed: map[string][]byte{"authority": close("authority", ca), i.signID: close(i.signID, i.signKey.Seed())},
	})
}

func unseal(value []byte, with cipher.AEAD) (*installation, error) {
	var rec record
	if err := json.Unmarshal(value, &rec); err != nil {
		return nil, err
	}
	open := func(name string) ([]byte, error) {
		sealed := rec.Sealed[name]
		if len(sealed) < with.NonceSize() {
			return nil, fmt.Errorf("the record has no secret %q", name)
		}
		secret, err := with.Open(nil, sealed[:with.NonceSize()], sealed[with.NonceSize():], []byte(rec.ID+"\x00"+name))
		if err != nil {
			return nil, fmt.Errorf("the key is not that of installation %q", rec.ID)
		}
		return secret, nil
	}
	ca, err := open("authority")
	if err != nil {
		return nil, err
	}
	inst := &installation{id: rec.ID, signID: rec.SignWith}
	key, err := x509.ParsePKCS8PrivateKey(ca)
	if err != nil {
		return nil, err
	}
	inst.caKey, _ = key.(*ecdsa.PrivateKey)
	if inst.authority, err = x509.ParseCertificate(rec.Authority); err != nil {
		return nil, err
	}
	if inst.caKey == nil || !inst.caKey.PublicKey.Equal(inst.authority.PublicKey) {
		return nil, fmt.Errorf("the authority's certificate is for another key")
	}
	seed, err := open(rec.SignWith)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("signing key %q has %d bytes", rec.SignWith, len(seed))
	}
	inst.signKey = ed25519.NewKeyFromSeed(seed)
	return inst, nil
}

// readKey reads the file that seals and opens.
func readKey(path string) (cipher.AEAD, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, errors.New("the file does not hold 32 bytes in base64")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// makeKey reads the file, or makes it with mode 0600. It gets its name when it is
// whole and on disk: half a key, left by a kill, would keep the installation shut
// for ever, and so would a key that the power took after what it seals was kept.
func makeKey(path string) (cipher.AEAD, error) {
	if aead, err := readKey(path); !errors.Is(err, os.ErrNotExist) {
		return aead, err
	}
	var key [32]byte
	rand.Read(key[:])
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key[:]) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(f.Name(), path) // unlike a rename, it does not replace another process's
	}
	if e := os.Remove(f.Name()); err == nil {
		err = e
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	if err := syncDir(dir); err != nil {
		return nil, err
	}
	return readKey(path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
