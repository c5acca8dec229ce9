{{- define "operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "operator.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "operator.serviceAccount" -}}
{{- default (include "operator.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Empty where no router is wanted: routes then say RouterImageMissing. */ -}}
{{- define "operator.routerImage" -}}
{{- with .Values.router }}
{{- if not .image.repository }}
{{- else if .image.digest }}
{{- printf "%s@%s" .image.repository .image.digest }}
{{- else if and .allowTag .image.tag }}
{{- printf "%s:%s" .image.repository .image.tag }}
{{- else }}
{{- fail "router.image.digest is needed (sha256:...); to run a tag, which may change under you, set router.image.tag and router.allowTag=true" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else if and .allowTag .tag }}
{{- printf "%s:%s" .repository .tag }}
{{- else }}
{{- fail "image.digest is needed (sha256:...); to run a tag, which may change under you, set image.tag and image.allowTag=true" }}
{{- end }}
{{- end }}
{{- end }}
