package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	p, err := loadProgram("testdata/app")
	if err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile("testdata/app/template.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		old, new string // a mutation of the template; each old text stands there
		want     []string
	}{
		{name: "role and code agree"},
		{
			name: "an action that no code does",
			old:  `["dynamodb:GetItem", "dynamodb:UpdateItem"]`, new: `["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]`,
			want: []string{"AuthFunction may do dynamodb:DeleteItem on Connections, and no code of functions/auth does"},
		},
		{
			name: "an action that the code does and the role lacks",
			old:  `["dynamodb:GetItem", "dynamodb:UpdateItem"]`, new: `["dynamodb:GetItem"]`,
			want: []string{"functions/auth does dynamodb:UpdateItem on Connections (shared/store/store.go:", "the role of AuthFunction does not allow"},
		},
		{
			name: "the right action on the wrong table",
			old:  `[{"Fn::GetAtt": ["Members", "Arn"]}]`, new: `[{"Fn::GetAtt": ["Connections", "Arn"]}]`,
			want: []string{
				"functions/auth does dynamodb:PutItem on Members", "the role of AuthFunction does not allow",
				"AuthFunction may do dynamodb:PutItem on Connections, and no code",
			},
		},
		{
			name: "the table where the index is meant",
			old:  `{"Fn::Sub": "${Connections.Arn}/index/byDeadline"}`, new: `{"Fn::GetAtt": ["Connections", "Arn"]}`,
			want: []string{"does dynamodb:Query on Connections/index/byDeadline", "may do dynamodb:Query on Connections, and no code"},
		},
		{
			name: "a star for a resource",
			old: `{"Fn::GetAtt": ["Queue", "Arn"]}},
          {"Effect": "Allow", "Action": ["sqs:R`, new: `"*"},
          {"Effect": "Allow", "Action": ["sqs:R`,
			want: []string{
				"AuthRole allows sqs:SendMessage on *: name each resource",
				"Lambda does sqs:SendMessage on Queue for AuthFunction, which its role does not allow",
				"functions/auth does sqs:SendMessage on Queue", "AuthFunction may do sqs:SendMessage on *",
			},
		},
		{
			name: "a star for an action",
			old:  `"Action": "dynamodb:PutItem"`, new: `"Action": "dynamodb:*"`,
			want: []string{"AuthRole allows dynamodb:*: name each action", "does dynamodb:PutItem on Members", "may do dynamodb:* on Members"},
		},
		{
			name: "every method of the connections",
			old:  `/POST/@connections/*`, new: `/*/@connections/*`,
			want: []string{"AuthRole allows execute-api:ManageConnections on ", "does execute-api:ManageConnections POST", "may do execute-api:ManageConnections on"},
		},
		{
			name: "closing connections, which no code does",
			old:  `/POST/@connections/*`, new: `/DELETE/@connections/*`,
			want: []string{"functions/auth does execute-api:ManageConnections POST (", "AuthFunction may do execute-api:ManageConnections DELETE, and no code"},
		},
		{
			name: "a policy of AWS's",
			old:  `"Properties": {"ManagedPolicyArns": [{"Ref": "WriteLogs"}]}`, new: `"Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]}`,
			want: []string{"UnroutedRole attaches \"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole\", which is not of this template", "Lambda does logs:CreateLogStream on Logs for UnroutedFunction", "Lambda does logs:PutLogEvents on Logs for UnroutedFunction"},
		},
		{
			name: "a queue that Lambda can't read",
			old:  `["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]`, new: `["sqs:ReceiveMessage", "sqs:DeleteMessage"]`,
			want: []string{"Lambda does sqs:GetQueueAttributes on Inbox for AuthFunction, which its role does not allow"},
		},
		{
			name: "a variable that no code reads",
			old:  `"QUEUE_URL": {"Ref": "Queue"}`, new: `"QUEUE_URL": {"Ref": "Queue"}, "OTHER_URL": ""`,
			want: []string{"AuthFunction is given OTHER_URL, and no code of functions/auth reads it"},
		},
		{
			name: "a variable that is not given",
			old:  `, "QUEUE_URL": {"Ref": "Queue"}`, new: ``,
			want: []string{"functions/auth reads QUEUE_URL (functions/auth/main.go:", "which AuthFunction is not given"},
		},
		{
			name: "a variable for all that none reads",
			old:  `"AWS_ENDPOINT_URL"`, new: `"STAGE"`,
			want: []string{"every function is given STAGE and none reads it"},
		},
		{
			name: "a function without a program",
			old:  `"UnroutedFunction": {`, new: `"OtherFunction": {`,
			want: []string{"OtherFunction has no program functions/other"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(string(template), tt.old) {
				t.Fatalf("the template has no %s", tt.old)
			}
			mutated := strings.ReplaceAll(string(template), tt.old, tt.new)
			if tt.old == "" {
				mutated = string(template)
			}
			var d deployment
			if err := json.Unmarshal([]byte(mutated), &d); err != nil {
				t.Fatal(err)
			}
			got := compare(&d, p)
			if len(tt.want) == 0 && len(got) > 0 {
				t.Errorf("problems where there are none:\n%s", strings.Join(got, "\n"))
			}
			for _, want := range tt.want {
				if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
					t.Errorf("nothing says %q; got:\n%s", want, strings.Join(got, "\n"))
				}
			}
			for _, line := range got {
				if !slices.ContainsFunc(tt.want, func(want string) bool { return strings.Contains(line, want) }) {
					t.Errorf("unexpected: %s", line)
				}
			}
		})
	}
}

func TestCheckSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := check("testdata/app", "testdata/none.json"); err == nil || !strings.Contains(err.Error(), "read the translated template") {
		t.Errorf("check of a missing file = %v", err)
	}
	if _, err := check("testdata/none", "testdata/app/template.json"); err == nil || !strings.Contains(err.Error(), "load the packages of ") {
		t.Errorf("check of a missing module = %v", err)
	}
}
