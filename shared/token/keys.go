package token

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	maxKeyAge    = time.Hour        // after it the keys are fetched again before use, so a withdrawn key ends within the hour
	maxStaleAge  = 6 * time.Hour    // known keys serve as long as this while they cannot be fetched
	refetchEvery = 30 * time.Second // between two requests while keys are held: unknown key ids must not become a flood
	retryEvery   = 2 * time.Second  // between two requests while none is held: nobody can be served until one succeeds
	fetchTimeout = 3 * time.Second  // of one request with its redirects and its body
	minRetry     = time.Second      // least value of UnavailableError.RetryAfter
	maxJWKSBytes = 256 << 10        // real sets have 1 to 10 KB
	maxRedirects = 3
)

// A keyStore holds the keys that an issuer publishes at a URL.
type keyStore struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu        sync.Mutex
	keys      []key         // of the last request that succeeded; nil before it
	fetchedAt time.Time     // when that was
	triedAt   time.Time     // when the last request ended; zero before the first
	err       error         // of the last request, nil if it succeeded
	fetching  chan struct{} // closed at the end of the request under way, nil if there is none
}

func newKeyStore(url string, client *http.Client, now func() time.Time) *keyStore {
	own := *client
	own.CheckRedirect = checkRedirect
	// Without the monotonic reading: that clock stands still while a Lambda is frozen, and keys would outlive their hour.
	wall := func() time.Time { return now().Round(0) }
	return &keyStore{url: url, client: &own, now: wall}
}

// find returns the key for a token with this key id and algorithm, after a request for the keys if one is due.
// A caller that finds a request under way waits for it instead of making its own.
func (s *keyStore) find(ctx context.Context, kid, alg string) (crypto.PublicKey, error) {
	for {
		s.mu.Lock()
		public, err := choose(s.keys, kid, alg)
		known := !errors.Is(err, errNoKey)
		if known && within(s.now().Sub(s.fetchedAt), maxKeyAge) {
			s.mu.Unlock()
			return public, err
		}
		if wait := s.fetching; wait != nil {
			s.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, &UnavailableError{RetryAfter: minRetry, Err: ctx.Err()}
			}
		}
		if pause := s.pause(); pause > 0 {
			defer s.mu.Unlock()
			if s.err != nil && !(known && s.usable()) {
				return nil, &UnavailableError{RetryAfter: max(pause, minRetry), Err: s.err}
			}
			return public, err
		}
		s.fetching = make(chan struct{})
		s.mu.Unlock()
		if err := s.refresh(ctx); err != nil && ctx.Err() != nil {
			return nil, &UnavailableError{RetryAfter: minRetry, Err: err}
		}
	}
}

// usable: keys are held and may still serve.
func (s *keyStore) usable() bool {
	return s.keys != nil && within(s.now().Sub(s.fetchedAt), maxStaleAge)
}

// pause is how long no request may be made from now on, 0 if one may.
func (s *keyStore) pause() time.Duration {
	every := retryEvery
	if s.usable() {
		every = refetchEvery
	}
	if since := s.now().Sub(s.triedAt); within(since, every) {
		return every - since
	}
	return 0
}

// within is false for a negative age as well: a clock that was set back must not keep anything alive.
func within(age, limit time.Duration) bool { return age >= 0 && age < limit }

// refresh makes one request, notes its outcome and wakes those who wait for it. What the end of the caller's own context
// cut short says nothing of the issuer and is not noted: the next caller tries itself.
func (s *keyStore) refresh(ctx context.Context) error {
	keys, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.keys, s.fetchedAt = keys, s.now()
	}
	if err == nil || ctx.Err() == nil {
		s.triedAt, s.err = s.now(), err
	}
	close(s.fetching)
	s.fetching = nil
	return err
}

func (s *keyStore) fetch(ctx context.Context) ([]key, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d", s.url, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxJWKSBytes+1))
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", s.url, err)
	}
	if len(body) > maxJWKSBytes {
		return nil, fmt.Errorf("GET %s: more than %d bytes", s.url, maxJWKSBytes)
	}
	keys, err := parseJWKS(body)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", s.url, err)
	}
	return keys, nil
}

// checkRedirect keeps a redirect from leading off https, or off the machine in the clear.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("redirect off https")
	}
	return checkTransport(req.URL)
}

// errNoKey is a reason to look for newer keys; any other error of choose is final.
var errNoKey = invalid("it is signed with a key that its issuer does not publish")

// choose picks the key with that id, if it is for that algorithm. A token without key id (RFC 7515 §4.1.4 leaves it out
// where there is nothing to choose) needs exactly one key of its algorithm.
func choose(keys []key, kid, alg string) (crypto.PublicKey, error) {
	var public crypto.PublicKey
	err := errNoKey
	for _, k := range keys {
		switch {
		case kid == "" && k.alg == alg && public != nil:
			return nil, invalid("it names no key (kid) and its issuer has several")
		case kid == "" && k.alg == alg:
			public, err = k.public, nil
		case kid != "" && kid == k.kid && k.alg == alg:
			return k.public, nil
		case kid != "" && kid == k.kid:
			err = invalid("its algorithm (alg) is not the one of its key")
		}
	}
	return public, err
}
