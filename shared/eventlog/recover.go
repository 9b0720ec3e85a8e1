package eventlog

import (
	"context"
	"errors"
	"time"
)

// visibleAfter are the waits for records that a transaction has stored but that are not all visible yet: a read beside a
// transaction may see its head before its items (DynamoDB, "Transaction isolation levels": Query is read-committed, not
// serializable).
var visibleAfter = []time.Duration{20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond}

// Limits bound one replay.
type Limits struct {
	Records int // at most
	Bytes   int // of envelopes; the record that passes it is the last
}

// A Recovery is what a client missed, or the word that not all of it can be had.
type Recovery struct {
	Records   []Record // contiguous, from the one after the position; empty unless Recovered
	Recovered bool     // the records reach the head, or a first part of them fills the limits
	More      bool     // they are a first part
}

// inFlight is the widest gap that transactions whose records are not visible yet can leave before the head: a few batches. A wider one
// is no matter of waiting.
const inFlight = 3 * MaxBatch

// Recover returns the records after a position up to the head, which the caller has read before. It looks past no hole: what has
// expired, a position from the future and one of another log are not recovered.
func (l *Log) Recover(ctx context.Context, tenantID string, position, head int64, limits Limits) (Recovery, error) {
	if position >= head {
		return Recovery{Recovered: position == head}, nil
	}
	if head-position > inFlight {
		// One read tells a position that can't be had from one that can: a page of the log would cost 250 times as much, and anybody
		// may send a position.
		if _, err := l.Record(ctx, tenantID, position+1); errors.Is(err, ErrNotFound) {
			return Recovery{}, nil
		} else if err != nil {
			return Recovery{}, err
		}
	}
	for try := 0; ; try++ {
		records, err := l.Range(ctx, tenantID, position, head, limits.Records, limits.Bytes)
		if err != nil {
			return Recovery{}, err
		}
		switch reached := position + int64(len(records)); {
		case reached == head:
			return Recovery{Records: records, Recovered: true}, nil
		case full(records, limits):
			return Recovery{Records: records, Recovered: true, More: true}, nil
		}
		if try == len(visibleAfter) {
			return Recovery{}, nil
		}
		if err := l.clock.Sleep(ctx, visibleAfter[try]); err != nil {
			return Recovery{}, err
		}
	}
}

func full(records []Record, limits Limits) bool {
	bytes := 0
	for _, r := range records {
		bytes += len(r.Envelope)
	}
	return len(records) >= limits.Records || bytes >= limits.Bytes
}
