package table

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	maxIdleConns    = 256              // kept open, for a burst of concurrent functions
	maxIdleTime     = 5 * time.Second  // below the idle time-out of every engine in use, so that none closes a connection under us
	exchangeTimeout = 60 * time.Second // of one request; a paged Query of 1 MB takes some 20 ms
	dialTimeout     = 5 * time.Second
	bufferBytes     = 16 << 10 // of a connection, each way: most requests and answers fit
)

// credentials are what the engine wants to see; it checks that they are there, not that they are right. One pair for all
// requests, whoever sent them.
const credentials = "Authorization: AWS4-HMAC-SHA256 Credential=local/20000101/local/dynamodb/aws4_request, " +
	"SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n" +
	"X-Amz-Date: 20000101T000000Z\r\n"

// An upstream exchanges requests with the engine over connections that it keeps.
//
// It is written out instead of using net/http's client, whose transport hands every exchange through two more goroutines:
// a GetItem through the stack costs it 60 µs of CPU one at a time and 31 µs with 16 in flight, through httputil.ReverseProxy
// 105 and 90, and answers 80 µs later than the engine itself instead of 115 (two cores, loaded). Every event makes six or more.
type upstream struct {
	url   *url.URL
	ended <-chan struct{} // closed when the engine is gone; whoever listens there from then on is a stranger
	idle  chan *conn
	head  string // of every request, up to the headers that differ
}

type conn struct {
	net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	used time.Time
}

func newUpstream(u *url.URL, ended <-chan struct{}) *upstream {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\n%s", u.RequestURI(), u.Host, credentials)
	return &upstream{url: u, ended: ended, idle: make(chan *conn, maxIdleConns), head: head}
}

var errEnded = errors.New("the engine has ended")

// exchange sends one request and gives its answer to receive, whose reading decides whether the connection can be kept.
// A header that is not given is left out. The end of ctx is not waited for: its deadline is.
func (u *upstream) exchange(ctx context.Context, target, contentType string, body []byte, receive func(*http.Response) error) error {
	select {
	case <-u.ended:
		return errEnded
	default:
	}
	c, err := u.connect(ctx)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(exchangeTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = c.SetDeadline(deadline)
	keep, err := c.exchange(u.head, target, contentType, body, receive)
	if err != nil || !keep {
		_ = c.Close()
		return err
	}
	c.used = time.Now()
	select {
	case u.idle <- c:
	default:
		_ = c.Close()
	}
	return nil
}

func (c *conn) exchange(head, target, contentType string, body []byte, receive func(*http.Response) error) (keep bool, err error) {
	// A bufio.Writer remembers its first error until Flush.
	_, _ = c.w.WriteString(head)
	for _, h := range [...]struct{ name, value string }{{"X-Amz-Target: ", target}, {"Content-Type: ", contentType}} {
		if h.value != "" {
			_, _ = c.w.WriteString(h.name)
			_, _ = c.w.WriteString(h.value)
			_, _ = c.w.WriteString("\r\n")
		}
	}
	_, _ = c.w.WriteString("Content-Length: ")
	_, _ = c.w.WriteString(strconv.Itoa(len(body)))
	_, _ = c.w.WriteString("\r\n\r\n")
	_, _ = c.w.Write(body)
	if err := c.w.Flush(); err != nil {
		return false, err
	}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if err := receive(res); err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return !res.Close, err
}

// connect returns a kept connection, or a new one.
func (u *upstream) connect(ctx context.Context) (*conn, error) {
	for {
		select {
		case c := <-u.idle:
			if time.Since(c.used) < maxIdleTime {
				return c, nil
			}
			_ = c.Close()
		default:
			return u.dial(ctx)
		}
	}
}

func (u *upstream) dial(ctx context.Context) (*conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout}
	dial, port := plain.DialContext, "80"
	if u.url.Scheme == "https" {
		dial, port = (&tls.Dialer{NetDialer: plain}).DialContext, "443"
	}
	c, err := dial(ctx, "tcp", net.JoinHostPort(u.url.Hostname(), cmp.Or(u.url.Port(), port)))
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, bufferBytes), w: bufio.NewWriterSize(c, bufferBytes)}, nil
}

// closeIdle closes the connections that are not in use.
func (u *upstream) closeIdle() {
	for {
		select {
		case c := <-u.idle:
			_ = c.Close()
		default:
			return
		}
	}
}
