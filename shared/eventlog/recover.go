package eventlog

import (
	"context"
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

// Recover returns the records after a position up to the head, which the caller has read before. It looks past no hole: what has
// expired, a position from the future and one of another log are not recovered.
func (l *Log) Recover(ctx context.Context, tenantID string, position, head int64, limits Limits) (Recovery, error) {
	if position >= head {
		return Recovery{Recovered: position == head}, nil
	}
	for try := 0; ; try++ {
		found, err := l.Range(ctx, tenantID, position, head, limits.Records, limits.Bytes)
		if err != nil {
			return Recovery{}, err
		}
		records := contiguous(found, position)
		switch reached := position + int64(len(records)); {
		case reached == head:
			return Recovery{Records: records, Recovered: true}, nil
		case len(records) == len(found) && full(found, limits):
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

// contiguous cuts the records before their first hole.
func contiguous(records []Record, position int64) []Record {
	for i, r := range records {
		if r.Sequence != position+int64(i)+1 {
			return records[:i]
		}
	}
	return records
}

func full(records []Record, limits Limits) bool {
	bytes := 0
	for _, r := range records {
		bytes += len(r.Envelope)
	}
	return len(records) >= limits.Records || bytes >= limits.Bytes
}
