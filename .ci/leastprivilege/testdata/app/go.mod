module example.com/app

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi v0.0.0
	github.com/aws/aws-sdk-go-v2/service/dynamodb v0.0.0
	github.com/aws/aws-sdk-go-v2/service/sqs v0.0.0
)

// Small stand-ins of the SDK's shape, so that the checker's own test needs no download.
replace (
	github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi => ./sdk/apigatewaymanagementapi
	github.com/aws/aws-sdk-go-v2/service/dynamodb => ./sdk/dynamodb
	github.com/aws/aws-sdk-go-v2/service/sqs => ./sdk/sqs
)
