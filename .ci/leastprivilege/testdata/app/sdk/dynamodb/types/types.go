package types

type (
	Put               struct{ TableName *string }
	Update            struct{ TableName *string }
	Delete            struct{ TableName *string }
	ConditionCheck    struct{ TableName *string }
	TransactWriteItem struct {
		Put            *Put
		Update         *Update
		Delete         *Delete
		ConditionCheck *ConditionCheck
	}
)
