package traffic

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"gatehouse/policy"
)

const (
	issuer     = "https://id.example.com"
	tokenFile  = "tokens"
	publicFile = "public.pem"
	setFile    = "keys.json"
	tokens     = 24_000 // a thousand that come again and again, the others once
)

// writeTokens makes a key of RSA with 2048 bits and tokens signed by RS256, one a line.
func writeTokens(dir string, n int) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, publicFile), "PUBLIC KEY", public); err != nil {
		return err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	set := fmt.Appendf(nil, `{"keys":[{"kty":"RSA","kid":"k1","alg":"RS256","use":"sig","n":%q,"e":"AQAB"}]}`, b64(key.N.Bytes()))
	if err := os.WriteFile(filepath.Join(dir, setFile), set, 0o600); err != nil {
		return err
	}
	lines := make([][]byte, n)
	errs := make([]error, n)
	var work sync.WaitGroup
	for c := range runtime.NumCPU() {
		work.Go(func() {
			for i := c; i < n; i += runtime.NumCPU() {
				lines[i], errs[i] = token(key, i)
			}
		})
	}
	work.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, tokenFile), bytes.Join(lines, []byte("\n")), 0o600)
}

func token(key *rsa.PrivateKey, i int) ([]byte, error) {
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":%q,"sub":"caller-%d","aud":"orders","iat":%d,"exp":%d,"jti":"%d","scope":"orders.read"}`, issuer, i, now, now+3600, i)
	b64 := base64.RawURLEncoding
	t := b64.AppendEncode(nil, []byte(`{"alg":"RS256","kid":"k1","typ":"JWT"}`))
	t = b64.AppendEncode(append(t, '.'), []byte(claims))
	hash := sha256.Sum256(t)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
	return b64.AppendEncode(append(t, '.'), signature), err
}

// tokenPolicy asks for such a token.
func tokenPolicy(dir string) (policy.Use, error) {
	set, err := os.ReadFile(filepath.Join(dir, setFile))
	if err != nil {
		return policy.Use{}, err
	}
	config, err := json.Marshal(map[string]any{"issuer": issuer, "keys": json.RawMessage(set), "algorithms": []string{"RS256"}})
	return policy.Use{Name: "jwt", Config: config}, err
}

const readTokens = `
local tokens, n = {}, 0
for line in io.lines(dir .. "/tokens") do tokens[#tokens+1] = "Bearer " .. line end
local function call(token) return wrk.format("GET", "/orders/v1/orders/5f3c9a", {["Authorization"] = token}) end
`

// repeatedTokens goes through the first thousand; newTokens calls once with each
// of the others and then stops, and so needs a proxy that has not seen them.
const (
	repeatedTokens = readTokens + `
request = function()
  n = n % 1000 + 1
  return call(tokens[n])
end
`
	newTokens = readTokens + `
n = 1000
request = function()
  n = n + 1
  if n >= #tokens then wrk.thread:stop(); return call(tokens[#tokens]) end
  return call(tokens[n])
end
`
)
