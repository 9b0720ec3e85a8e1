"""Translates a SAM template as CloudFormation's transform does, and writes the plain template as JSON.

usage: translate.py TEMPLATE OUTPUT

What `sam validate` can't see is seen only in the translation: circles between resources, generated permissions and roles.
"""

import json
import sys

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

template_path, output_path = sys.argv[1:]
with open(template_path, encoding="utf-8") as file:
    template = yaml_parse(file.read())

# `sam package` would put the code's place in S3 here; the translator takes no folders.
template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource.setdefault("Properties", {})["CodeUri"] = "s3://code-bucket/code.zip"

try:
    # No managed policies by name: the template gives each function a role of its own. The region decides the partition only.
    session = boto3.Session(region_name="eu-west-1")
    translated = Translator({}, Parser(), boto_session=session).translate(template, {})
except InvalidDocumentException as error:
    sys.exit("\n".join(cause.message for cause in error.causes))

with open(output_path, "w", encoding="utf-8") as file:
    json.dump(translated, file, indent=1, default=str)
