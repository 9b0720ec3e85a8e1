package simulation_test

// The kinds of faults. A run strikes each with a rate of its own, or not at all.
const (
	tableThrottled  = "table throttled"
	tableFailed     = "table failed"            // 500, nothing done
	tableSlow       = "table slow"              // the call takes seconds
	tableLostAnswer = "table lost answer"       // done, but the caller never learns
	tableEarly      = "table lost answer early" // before all of a transaction is visible
	tableLate       = "table late"              // the caller is told of an error, and the write lands afterwards
	tableOneByOne   = "table one by one"        // the items of a transaction become visible one after the other
	tableConflict   = "table conflict"          // with a transaction of somebody else
	indexLate       = "index late"              // the index still shows an old deadline

	functionCrash     = "function crashes"
	functionNoAnswer  = "function's answer lost"
	functionThrottled = "function throttled" // not called at all
	keysUnavailable   = "issuer's keys unavailable"

	busTwice       = "bus delivers twice"
	busLate        = "bus delivers late"
	producerTwice  = "producer repeats"
	sendFailed     = "send failed"
	sendLostAnswer = "send lost answer"
	refuseFailed   = "dead letter not taken"

	queueNotDeleted = "queue redelivers" // what was done is not deleted
	queueTwice      = "queue delivers twice at once"
	queueNoRetryIn  = "visibility not changed"
	eventInvalid    = "event not storable"
	eventCursed     = "event long not storable"
	messageForeign  = "foreign message in the queue"

	postThrottled  = "post 429"
	postFailed     = "post 5xx"
	postLostAnswer = "post lost answer"
	postHangs      = "post hangs"
	postSlow       = "post slow" // the next frame, or attempt, begins late
	postVanishes   = "post vanishes"
	postLate       = "post late" // an answer overtakes it

	disconnectLost = "$disconnect lost"
	disconnectLate = "$disconnect late"
	halfOpen       = "half-open socket" // the client is gone, the gateway does not know
)

// faultKinds are all of them, each with the highest rate a run gives it. Those that end an invocation or take long are rarer.
func faultKinds() map[string]float64 {
	return map[string]float64{
		tableThrottled: .1, tableFailed: .06, tableSlow: .05, tableLostAnswer: .1, tableLate: .06, tableOneByOne: 1, tableEarly: .7, tableConflict: .1, indexLate: .5,
		functionCrash: .05, functionNoAnswer: .05, functionThrottled: .05, keysUnavailable: .1,
		busTwice: .3, busLate: .3, producerTwice: .2, sendFailed: .1, sendLostAnswer: .1, refuseFailed: .3,
		queueNotDeleted: .2, queueTwice: .6, queueNoRetryIn: .3, eventInvalid: .06, eventCursed: .04, messageForeign: .05,
		postThrottled: .3, postFailed: .1, postLostAnswer: .1, postHangs: .15, postSlow: .3, postVanishes: .4, postLate: .3,
		disconnectLost: .4, disconnectLate: .4, halfOpen: .5,
	}
}

// strikes draws whether a fault strikes here, and notes it. Only in a turn.
func (w *world) strikes(kind, where string) bool {
	rate := w.rates[kind]
	if rate == 0 || w.quiet {
		return false
	}
	id := kind + " @ " + where
	if w.chance.share(id) >= rate || !w.allowed(id) {
		return false
	}
	w.counts.faults[kind]++
	w.choices = append(w.choices, id)
	w.note("! %s: %s", kind, where)
	return true
}

// allowed says whether a choice (a client, an event, an action, a fault) takes part: all do, but in a shrunk run.
func (w *world) allowed(choice string) bool { return w.only == nil || w.only[choice] }
