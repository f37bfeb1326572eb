// The queues. Standard: Basic has no duplicate detection, on which "a job is never begun twice" stands.

param location string
param tags object
param names object

var jobLife = 'P14D'
var jobs = {
  // The worker renews at half of it; the length only bounds how late a dead worker is noticed.
  lockDuration: 'PT1M'
  // A worker that stops in order (a spot machine that is taken, an upgrade) gives its job back, which counts as a delivery.
  maxDeliveryCount: 30
  requiresDuplicateDetection: true
  duplicateDetectionHistoryTimeWindow: 'P1D'
  defaultMessageTimeToLive: jobLife
  deadLetteringOnMessageExpiration: true
}
var events = {
  lockDuration: 'PT1M'
  maxDeliveryCount: 10
  requiresDuplicateDetection: false
  defaultMessageTimeToLive: jobLife
  deadLetteringOnMessageExpiration: true
}

// core/Messages/Queues.cs and local/Hosting/LocalQueues.cs name the same; a test compares names and duplicate detection.
var queues = [
  { name: 'uploads', properties: events }
  { name: 'trainings', properties: jobs }
  { name: 'predictions', properties: jobs }
  { name: 'worker-events', properties: events }
  // A delivery is put off by its own schedule, for a day at most; what it tells is told once.
  { name: 'events', properties: union(events, { requiresDuplicateDetection: true, duplicateDetectionHistoryTimeWindow: 'P1D' }) }
]

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' = {
  name: names.serviceBus
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard' }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource lines 'Microsoft.ServiceBus/namespaces/queues@2026-01-01' = [
  for queue in queues: {
    parent: namespace
    name: queue.name
    properties: queue.properties
  }
]
