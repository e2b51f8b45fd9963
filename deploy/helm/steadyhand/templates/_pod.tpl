{{- /* The processes there are: one, or three. */ -}}
{{- define "steadyhand.processes" -}}
{{- if .Values.split }}edge agent executor{{ else }}all{{ end }}
{{- end }}

{{- define "steadyhand.labels" -}}
app.kubernetes.io/name: steadyhand
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .process }}
{{- end }}

{{- define "steadyhand.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* One pod of a process: nobody's root, nothing to write on but its data, its secrets as files. */ -}}
{{- define "steadyhand.pod" -}}
{{- $root := .root }}
{{- $process := .process }}
metadata:
  labels: {{- include "steadyhand.labels" . | nindent 4 }}
  annotations:
    steadyhand.dev/settings: {{ printf "%s %s" (toYaml $root.Values.settings) $root.Values.policy | sha256sum | quote }}
spec:
  serviceAccountName: {{ printf "%s-%s" $root.Release.Name $process }}
  automountServiceAccountToken: {{ not (empty $root.Values.rbac.namespaces) }}
  terminationGracePeriodSeconds: 15
  restartPolicy: {{ .restart | default "Always" }}
  {{- if $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml $root.Values.imagePullSecrets | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: steadyhand
      image: {{ include "steadyhand.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{- toYaml .args | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      env:
        - { name: HOST, value: 0.0.0.0 }
        - { name: HEALTH_PORT, value: "7879" }
        - { name: STEADYHAND_CONFIG, value: /etc/steadyhand/steadyhand.yaml }
        - { name: DATABASE_URL_FILE, value: /run/steadyhand/DATABASE_URL }
        {{- if $root.Values.policy }}
        - { name: STEADYHAND_POLICY, value: /etc/steadyhand/policy.yaml }
        {{- end }}
        {{- range $each := $root.Values.env }}
        {{- if or (not $each.processes) (has $process $each.processes) }}
        - name: {{ $each.name }}
          value: {{ $each.value | quote }}
        {{- end }}
        {{- end }}
        {{- range $each := $root.Values.secrets }}
        {{- if or (not $each.processes) (has $process $each.processes) }}
        - name: {{ $each.name }}_FILE
          value: /run/steadyhand/{{ $each.name }}
        {{- end }}
        {{- end }}
      {{- if ne $process "migrate" }}
      ports:
        - { name: http, containerPort: 7878 }
        - { name: health, containerPort: 7879 }
      startupProbe:
        httpGet: { path: /healthz, port: health }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /healthz, port: health }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: health }
        periodSeconds: 5
        timeoutSeconds: 5
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      volumeMounts:
        - { name: data, mountPath: /data }
        - { name: settings, mountPath: /etc/steadyhand, readOnly: true }
        - { name: secrets, mountPath: /run/steadyhand, readOnly: true }
  volumes:
    {{- if not .keepsData }}
    - { name: data, emptyDir: { sizeLimit: 1Gi } }
    {{- end }}
    - name: settings
      configMap: { name: {{ printf "%s-settings" $root.Release.Name }} }
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          - secret:
              name: {{ $root.Values.database.secret }}
              items: [{ key: {{ .databaseKey }}, path: DATABASE_URL }]
          {{- range $each := $root.Values.secrets }}
          {{- if or (not $each.processes) (has $process $each.processes) }}
          - secret:
              name: {{ $each.secret }}
              items: [{ key: {{ $each.key }}, path: {{ $each.name }} }]
          {{- end }}
          {{- end }}
{{- end }}
