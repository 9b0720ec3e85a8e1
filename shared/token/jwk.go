package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// The algorithms accepted (RFC 7518 §3.1, RFC 8037 §3.1). Each goes with one kind of key.
const (
	algRS256 = "RS256" // RSA, 2048 to 8192 bits
	algES256 = "ES256" // P-256
	algEdDSA = "EdDSA" // Ed25519
)

const (
	minRSABits = 2048 // RFC 7518 §3.3
	maxRSABits = 8192 // as crypto/tls: verification time grows with the square
)

// A key is one published key with the one algorithm it may be used for.
type key struct {
	kid    string // "" if the issuer gave it none
	alg    string
	public crypto.PublicKey
}

// parseJWKS reads a JWK Set (RFC 7517 §5) and leaves out every key that is not for us: one broken key must not take the
// others along. A set without any usable key is an error, because no issuer means that.
func parseJWKS(body []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read the JWK Set: %w", err)
	}
	var keys []key
	for _, raw := range set.Keys {
		if k, ok := parseJWK(raw); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the JWK Set has no RSA (2048 bits or more), P-256 or Ed25519 key for signatures")
	}
	return keys, nil
}

// parseJWK reads one key; false for one that must not be used: another kind, curve, size, use or algorithm than ours.
func parseJWK(raw []byte) (key, bool) {
	var j struct {
		Kty    string   `json:"kty"`
		Kid    string   `json:"kid"`
		Alg    string   `json:"alg"`
		Use    string   `json:"use"`
		KeyOps []string `json:"key_ops"`
		Crv    string   `json:"crv"`
		N      string   `json:"n"`
		E      string   `json:"e"`
		X      string   `json:"x"`
		Y      string   `json:"y"`
	}
	if json.Unmarshal(raw, &j) != nil {
		return key{}, false
	}
	if j.Use != "" && j.Use != "sig" || j.KeyOps != nil && !slices.Contains(j.KeyOps, "verify") {
		return key{}, false
	}
	k := key{kid: j.Kid}
	switch {
	case j.Kty == "RSA":
		k.alg, k.public = algRS256, rsaKey(j.N, j.E)
	case j.Kty == "EC" && j.Crv == "P-256":
		k.alg, k.public = algES256, p256Key(j.X, j.Y)
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		k.alg, k.public = algEdDSA, ed25519Key(j.X)
	}
	return k, k.public != nil && (j.Alg == "" || j.Alg == k.alg)
}

func rsaKey(n, e string) crypto.PublicKey {
	modulus, exponent := new(big.Int).SetBytes(decode(n)), new(big.Int).SetBytes(decode(e))
	// An exponent of 1 would make every message its own signature; crypto/rsa takes at most 31 bits.
	if bits := modulus.BitLen(); bits < minRSABits || bits > maxRSABits ||
		exponent.BitLen() < 2 || exponent.BitLen() > 31 || exponent.Bit(0) == 0 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
}

func p256Key(x, y string) crypto.PublicKey {
	point := slices.Concat([]byte{4}, decode(x), decode(y)) // SEC 1 §2.3.3, uncompressed
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil { // not 32 bytes each, or not on the curve
		return nil
	}
	return public
}

func ed25519Key(x string) crypto.PublicKey {
	public := ed25519.PublicKey(decode(x))
	if len(public) != ed25519.PublicKeySize {
		return nil
	}
	return public
}

// decode returns nil for text that is not base64url without padding, which every caller refuses as too short.
func decode(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
