package template

import (
	"math"
	"strconv"
)

// readTable reads an AWS::DynamoDB::Table into the call that creates it.
func (l *loader) readTable(r *resource) {
	p := l.propertiesOf(r)
	t := Table{ID: r.id, Name: l.name(r)}
	create := objectNode(r.line, field{key: "TableName", value: textNode(r.line, t.Name)})
	for _, key := range []string{"AttributeDefinitions", "KeySchema"} {
		if len(p.list(key)) == 0 {
			p.problem(key, "the table %s has no %s", r.id, key)
			return
		}
		create = create.with(key, p.value(key))
	}
	create = create.with("BillingMode", textNode(r.line, p.choice("BillingMode", "PROVISIONED", "PAY_PER_REQUEST")))
	if p.has("ProvisionedThroughput") {
		create = create.with("ProvisionedThroughput", throughput(p.object("ProvisionedThroughput")))
	}
	for _, key := range []string{"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} {
		indexes := listNode(r.line)
		for _, i := range p.objects(key) {
			index := objectNode(i.line)
			for _, part := range []string{"IndexName", "KeySchema", "Projection"} {
				if value := i.value(part); value != nil {
					index = index.with(part, value)
				}
			}
			if i.has("ProvisionedThroughput") {
				index = index.with("ProvisionedThroughput", throughput(i.object("ProvisionedThroughput")))
			}
			indexes.list = append(indexes.list, index)
		}
		if len(indexes.list) > 0 {
			create = create.with(key, indexes)
		}
	}
	if ttl := p.object("TimeToLiveSpecification"); ttl.flag("Enabled", false) {
		t.TTLAttribute = ttl.required("AttributeName")
	}
	t.Create = create.json()
	l.stack.Tables = append(l.stack.Tables, t)
}

// throughput makes numbers of what may be a parameter's text.
func throughput(p properties) *node {
	n := objectNode(p.line)
	for _, key := range []string{"ReadCapacityUnits", "WriteCapacityUnits"} {
		units := strconv.Itoa(p.number(key, 1, 1, math.MaxInt32))
		n.fields = append(n.fields, field{key: key, value: &node{kind: numberKind, text: units}})
	}
	return n
}
