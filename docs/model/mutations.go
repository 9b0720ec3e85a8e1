package main

import "reflect"

// Mutations break one rule of the design each.
type Mutations struct {
	MembersBeforeNumbering   bool `says:"the pusher reads the members before it numbers"`
	MembersEventually        bool `says:"the pusher's read of the members is not strongly consistent"`
	MemberMoves              bool `says:"a renewal moves the member to another shard"`
	AckBeforePost            bool `says:"a message leaves the queue when it is numbered, before it is posted"`
	FailureUnreported        bool `says:"a tenant that failed is not reported: its messages leave the queue"`
	KnownNotPosted           bool `says:"an event that has a number already is not posted again"`
	KnownButInvisibleSkipped bool `says:"an event that has a number is not posted when its record is not visible yet"`
	KnownHeadNotAwaited      bool `says:"an event that has a number is posted before the head over it is visible"`
	IDWithoutCondition       bool `says:"the record of an event's id is put without a condition"`
	HeadWithoutCondition     bool `says:"head and records are written without a condition"`
	ExpiryAtRead             bool `says:"the token's end is checked when the members are read, not before each post"`
	AuthReadsFirst           bool `says:"auth reads head and log before it records the connection"`
	AuthHeadEventually       bool `says:"auth's read of the head is not strongly consistent"`
	AuthLogBeforeHead        bool `says:"auth reads the log before the head"`
	AuthWithoutRecord        bool `says:"auth does not ask whether the connection still exists"`
	AuthOtherIdentity        bool `says:"auth takes another tenant on the same connection"`
	LookPastHole             bool `says:"a replay looks past a hole"`
	PartOfReplayIsAll        bool `says:"a replay that ends early is called recovered without more"`
	LogBeginsAtZero          bool `says:"a log that begins anew begins at the same number"`
	RecoveredMovesPosition   bool `says:"the client: recovered: true moves the position to the head"`
	FalseMovesAnyPosition    bool `says:"the client: recovered: false moves the position whatever after says"`
	RenewalMovesPosition     bool `says:"the client: every auth.success without a position moves the position"`
	HandsOnEarly             bool `says:"the client: an event that comes early is handed on at once"`
}

// A mutation is one of them alone.
type mutation struct {
	name, says string
	flags      Mutations
}

// allMutations are the fields of Mutations, each set alone.
func allMutations() []mutation {
	var all []mutation
	for field := range reflect.TypeFor[Mutations]().Fields() {
		m := mutation{name: field.Name, says: field.Tag.Get("says")}
		reflect.ValueOf(&m.flags).Elem().FieldByIndex(field.Index).SetBool(true)
		all = append(all, m)
	}
	return all
}
