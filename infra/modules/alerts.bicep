// What a person is woken for: a message that nobody could work on, jobs that wait where no worker speaks, trainings that fail.

param location string
param tags object
param names object

@description('Who is told; empty: nobody, the alerts show in the portal only.')
param email string

@description('Minutes for which jobs may wait while no worker says anything: above the start of a cold GPU.')
@allowed([15, 30, 60])
param patienceMinutes int

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' existing = {
  name: names.serviceBus
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource actions 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: names.actions
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'sdxl'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource deadLetters 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'dead-letters-${names.serviceBus}'
  location: 'global'
  tags: tags
  properties: {
    description: 'A message lies in a dead-letter queue for 15 minutes; see docs/operations.md, "A poison message".'
    severity: 1
    enabled: true
    scopes: [namespace.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead'
          metricName: 'DeadletteredMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: ['*'] }]
          timeAggregation: 'Minimum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: actions.id }]
  }
}

// Pictures are drawn within seconds: one that nobody has taken for so long waits for a worker.
resource nobodyDraws 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'no-worker-predictions-${names.serviceBus}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Predictions wait and none was taken for ${patienceMinutes} min; see docs/operations.md, "Jobs wait and no worker comes".'
    severity: 1
    enabled: true
    scopes: [namespace.id]
    evaluationFrequency: 'PT5M'
    windowSize: patienceMinutes == 60 ? 'PT1H' : 'PT${patienceMinutes}M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'waiting'
          metricName: 'ActiveMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: ['predictions'] }]
          timeAggregation: 'Minimum'
          operator: 'GreaterThan'
          threshold: 0
        }
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'untaken'
          metricName: 'OutgoingMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: ['predictions'] }]
          timeAggregation: 'Total'
          operator: 'LessThan'
          threshold: 1
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: actions.id }]
  }
}

// The message of a training that runs lies locked in its queue for hours, so the queue tells nothing. Its orchestration looks every
// few minutes when its worker was last heard of.
resource nobodyTrains 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'no-worker-trainings-${names.insights}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Trainings wait and no worker comes'
    description: 'No worker was heard of for ${patienceMinutes} min; see docs/operations.md, "Jobs wait and no worker comes".'
    severity: 1
    enabled: true
    scopes: [insights.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'customMetrics | where name == "sdxl.training.silence" and valueMax > ${patienceMinutes * 60}'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [actions.id] }
  }
}

resource failures 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'failed-trainings-${names.insights}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Trainings fail'
    description: 'More than two trainings failed within an hour; each says why in its record.'
    severity: 2
    enabled: true
    scopes: [insights.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'customMetrics | where name == "sdxl.trainings.ended" and customDimensions.status == "failed"'
          timeAggregation: 'Total'
          metricMeasureColumn: 'valueSum'
          operator: 'GreaterThan'
          threshold: 2
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [actions.id] }
  }
}
